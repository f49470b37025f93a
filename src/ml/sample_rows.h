// A shard with its units in lanes: row-major samples.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ml/aligned.h"
#include "ml/shard.h"
#include "ml/standardization.h"

namespace gradmill::ml {

/// Elements from one row of `units` units to the next: whole vectors, and an odd number of them, so
/// that the rows of a column do not fall on the same few lines of a cache.
template <class T>
[[nodiscard]] constexpr std::size_t row_stride(std::size_t units) {
  constexpr std::size_t kLanes = kLaneBytes / sizeof(T);
  return ((units + kLanes - 1) / kLanes | 1U) * kLanes;
}

/// Samples [rows][stride], padded with zeros, and labels [rows]. Immutable once built, so threads
/// may share it.
template <class T>
class SampleRows {
 public:
  SampleRows(const Shard& shard, const Standardization& standardization);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t features() const { return features_; }
  [[nodiscard]] std::size_t stride() const { return row_stride<T>(features_); }
  [[nodiscard]] const T* row(std::size_t row) const { return values_.data() + row * stride(); }
  [[nodiscard]] const std::int32_t* labels() const { return labels_.data(); }
  [[nodiscard]] std::size_t bytes() const {
    return values_.size() * sizeof(T) + labels_.size() * sizeof(std::int32_t);
  }

 private:
  std::size_t rows_;
  std::size_t features_;
  AlignedArray<T> values_;
  AlignedArray<std::int32_t> labels_;
};

extern template class SampleRows<float>;
extern template class SampleRows<double>;

}  // namespace gradmill::ml
