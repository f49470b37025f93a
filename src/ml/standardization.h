// Features brought to mean 0 and deviation 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ml/shard.h"

namespace gradmill::ml {

/// Each feature becomes (x - mean) / deviation, in double, rounded once to the job's precision.
/// Empty lists leave the features as they are.
struct Standardization {
  std::vector<double> mean;       ///< One a feature, finite.
  std::vector<double> deviation;  ///< One a feature, finite and above 0.

  [[nodiscard]] bool empty() const { return mean.empty(); }
  friend bool operator==(const Standardization&, const Standardization&) = default;
};

/// Mean and deviation (of the population) of each feature over all rows of all shards, in two
/// passes, in double; the deviation of a constant feature counts as 1. There is at least one row.
[[nodiscard]] Standardization standardization_of(std::span<const Shard> shards);

/// Feature `column` of a row as the kernels of T see it.
template <class T>
[[nodiscard]] T standardized(float value, const Standardization& by, std::size_t column) {
  if (by.empty()) {
    return static_cast<T>(value);
  }
  return static_cast<T>((static_cast<double>(value) - by.mean[column]) / by.deviation[column]);
}

/// What each byte becomes as each feature, [features][256]: for many rows that is cheaper than
/// arithmetic. Empty where the features stay as they are.
template <class T>
[[nodiscard]] std::vector<T> standardized_bytes(const Standardization& by);

/// Writes a row of raw features as the kernels of T see it; `of_byte` is standardized_bytes(), or
/// empty.
template <class T>
void write_standardized(std::span<const std::uint8_t> row,
                        const Standardization& by,
                        std::span<const T> of_byte,
                        T* target);
template <class T>
void write_standardized(std::span<const float> row, const Standardization& by, T* target);

/// The standardized features of a shard, row by row; keeps references to both.
template <class T>
class StandardizedRows {
 public:
  StandardizedRows(const Shard& shard, const Standardization& standardization);

  /// Writes the features of `row` to `target`.
  void write(std::size_t row, T* target) const;

 private:
  const Shard& shard_;
  const Standardization& standardization_;
  std::vector<T> of_byte_;  // where that is worth it
};

extern template class StandardizedRows<float>;
extern template class StandardizedRows<double>;

}  // namespace gradmill::ml
