#include "ml/average.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.h"

namespace gradmill::ml {
namespace {

template <class T>
T element(std::string_view bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
std::string apply(std::string_view weights, std::span<const WeightedDelta> deltas) {
  // In strips that stay in cache; each element still sums its shards in order.
  constexpr std::size_t kStrip = 2048;
  double rows = 0;
  for (const WeightedDelta& shard : deltas) {
    GRADMILL_CHECK(shard.delta.size() == weights.size() && shard.rows > 0);
    rows += static_cast<double>(shard.rows);
  }
  GRADMILL_CHECK(rows > 0 && weights.size() % sizeof(T) == 0);
  std::string result(weights.size(), '\0');
  const std::size_t size = weights.size() / sizeof(T);
  std::array<double, kStrip> sums{};
  for (std::size_t first = 0; first < size; first += kStrip) {
    const std::size_t count = std::min(kStrip, size - first);
    sums.fill(0);
    for (const WeightedDelta& shard : deltas) {
      const auto weight = static_cast<double>(shard.rows);
      for (std::size_t k = 0; k < count; ++k) {
        sums[k] += weight * static_cast<double>(element<T>(shard.delta, first + k));
      }
    }
    for (std::size_t k = 0; k < count; ++k) {
      const double old = static_cast<double>(element<T>(weights, first + k));
      const T value = static_cast<T>(old + sums[k] / rows);
      std::memcpy(result.data() + (first + k) * sizeof(T), &value, sizeof(T));
    }
  }
  return result;
}

template <class Bits>
bool finite(std::string_view bytes, Bits exponent) {
  bool all = true;
  for (std::size_t k = 0; k < bytes.size() / sizeof(Bits); ++k) {
    all &= (element<Bits>(bytes, k) & exponent) != exponent;
  }
  return all;
}

}  // namespace

std::string apply_average(std::string_view weights,
                          std::span<const WeightedDelta> deltas,
                          Precision precision) {
  return precision == Precision::kDouble ? apply<double>(weights, deltas)
                                         : apply<float>(weights, deltas);
}

bool all_finite(std::string_view elements, Precision precision) {
  return precision == Precision::kDouble ? finite<std::uint64_t>(elements, 0x7FF0000000000000U)
                                         : finite<std::uint32_t>(elements, 0x7F800000U);
}

}  // namespace gradmill::ml
