#include "ml/standardization.h"

#include <cmath>
#include <cstddef>
#include <variant>

#include "base/check.h"

namespace gradmill::ml {
namespace {

constexpr std::size_t kByteValues = 256;

}  // namespace

Standardization standardization_of(std::span<const Shard> shards) {
  GRADMILL_CHECK(!shards.empty());
  const std::size_t features = shards.front().features;
  double rows = 0;
  Standardization result;
  result.mean.assign(features, 0);
  result.deviation.assign(features, 0);
  for (const Shard& shard : shards) {
    GRADMILL_CHECK(shard.features == features);
    rows += static_cast<double>(shard.rows);
    for (std::size_t row = 0; row < shard.rows; ++row) {
      for (std::size_t k = 0; k < features; ++k) {
        result.mean[k] += static_cast<double>(shard.value(row, k));
      }
    }
  }
  GRADMILL_CHECK(rows > 0);
  for (double& mean : result.mean) {
    mean /= rows;
  }
  for (const Shard& shard : shards) {
    for (std::size_t row = 0; row < shard.rows; ++row) {
      for (std::size_t k = 0; k < features; ++k) {
        const double from_mean = static_cast<double>(shard.value(row, k)) - result.mean[k];
        result.deviation[k] += from_mean * from_mean;
      }
    }
  }
  for (double& deviation : result.deviation) {
    deviation = std::sqrt(deviation / rows);
    // A constant feature, or one whose spread no double can hold, carries nothing.
    if (!(deviation > 0) || !std::isfinite(deviation)) {
      deviation = 1;
    }
  }
  return result;
}

template <class T>
std::vector<T> standardized_bytes(const Standardization& by) {
  std::vector<T> of_byte(by.mean.size() * kByteValues);
  for (std::size_t k = 0; k < by.mean.size(); ++k) {
    for (std::size_t byte = 0; byte < kByteValues; ++byte) {
      of_byte[k * kByteValues + byte] = standardized<T>(static_cast<float>(byte), by, k);
    }
  }
  return of_byte;
}

template <class T>
void write_standardized(std::span<const std::uint8_t> row,
                        const Standardization& by,
                        std::span<const T> of_byte,
                        T* target) {
  if (!of_byte.empty()) {
    for (std::size_t k = 0; k < row.size(); ++k) {
      target[k] = of_byte[k * kByteValues + row[k]];
    }
  } else if (by.empty()) {
    for (std::size_t k = 0; k < row.size(); ++k) {
      target[k] = static_cast<T>(row[k]);
    }
  } else {
    for (std::size_t k = 0; k < row.size(); ++k) {
      target[k] = standardized<T>(row[k], by, k);
    }
  }
}

template <class T>
void write_standardized(std::span<const float> row, const Standardization& by, T* target) {
  for (std::size_t k = 0; k < row.size(); ++k) {
    target[k] = standardized<T>(row[k], by, k);
  }
}

template <class T>
StandardizedRows<T>::StandardizedRows(const Shard& shard, const Standardization& standardization)
    : shard_(shard), standardization_(standardization) {
  if (shard.rows >= kByteValues &&
      std::holds_alternative<std::vector<std::uint8_t>>(shard.values)) {
    of_byte_ = standardized_bytes<T>(standardization);
  }
}

template <class T>
void StandardizedRows<T>::write(std::size_t row, T* target) const {
  const std::size_t features = shard_.features;
  if (const auto* bytes = std::get_if<std::vector<std::uint8_t>>(&shard_.values)) {
    write_standardized<T>(
        {bytes->data() + row * features, features}, standardization_, of_byte_, target);
  } else {
    const auto& floats = std::get<std::vector<float>>(shard_.values);
    write_standardized<T>({floats.data() + row * features, features}, standardization_, target);
  }
}

template std::vector<float> standardized_bytes(const Standardization&);
template std::vector<double> standardized_bytes(const Standardization&);
template void write_standardized(std::span<const std::uint8_t>,
                                 const Standardization&,
                                 std::span<const float>,
                                 float*);
template void write_standardized(std::span<const std::uint8_t>,
                                 const Standardization&,
                                 std::span<const double>,
                                 double*);
template void write_standardized(std::span<const float>, const Standardization&, float*);
template void write_standardized(std::span<const float>, const Standardization&, double*);
template class StandardizedRows<float>;
template class StandardizedRows<double>;

}  // namespace gradmill::ml
