#include "ml/standardization.h"

#include <cmath>
#include <cstddef>
#include <variant>

#include "base/check.h"

namespace gradmill::ml {

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
StandardizedRows<T>::StandardizedRows(const Shard& shard, const Standardization& standardization)
    : shard_(shard), standardization_(standardization) {
  // A byte has few values: for many rows, a table is cheaper than arithmetic.
  constexpr std::size_t kValues = 256;
  if (standardization.empty() || shard.rows < kValues ||
      !std::holds_alternative<std::vector<std::uint8_t>>(shard.values)) {
    return;
  }
  of_byte_.resize(shard.features * kValues);
  for (std::size_t k = 0; k < shard.features; ++k) {
    for (std::size_t byte = 0; byte < kValues; ++byte) {
      of_byte_[k * kValues + byte] = standardized<T>(static_cast<float>(byte), standardization, k);
    }
  }
}

template <class T>
void StandardizedRows<T>::write(std::size_t row, T* target) const {
  const std::size_t features = shard_.features;
  if (const auto* bytes = std::get_if<std::vector<std::uint8_t>>(&shard_.values)) {
    const std::uint8_t* const from = bytes->data() + row * features;
    if (!of_byte_.empty()) {
      for (std::size_t k = 0; k < features; ++k) {
        target[k] = of_byte_[k * 256 + from[k]];
      }
    } else if (standardization_.empty()) {
      for (std::size_t k = 0; k < features; ++k) {
        target[k] = static_cast<T>(from[k]);
      }
    } else {
      for (std::size_t k = 0; k < features; ++k) {
        target[k] = standardized<T>(from[k], standardization_, k);
      }
    }
    return;
  }
  const float* const from = std::get<std::vector<float>>(shard_.values).data() + row * features;
  for (std::size_t k = 0; k < features; ++k) {
    target[k] = standardized<T>(from[k], standardization_, k);
  }
}

template class StandardizedRows<float>;
template class StandardizedRows<double>;

}  // namespace gradmill::ml
