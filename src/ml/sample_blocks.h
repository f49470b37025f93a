// A shard as the kernels read it: feature-major blocks of a fixed number of samples.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ml/aligned.h"
#include "ml/shard.h"
#include "ml/topology.h"

namespace gradmill::ml {

/// Rows of one block for a topology. It depends on the topology alone, so block boundaries, and
/// with them every sum, are the same for any number of threads.
[[nodiscard]] std::size_t block_rows(const Topology& topology);

/// Samples in blocks of `block_rows`: features [blocks][features][block_rows] and labels
/// [blocks][block_rows]. The last block is padded with zero features and the label -1, which equals
/// no class. Immutable once built, so threads may share it.
template <class T>
class SampleBlocks {
 public:
  SampleBlocks(const Shard& shard, std::size_t block_rows);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t blocks() const { return (rows_ + block_rows_ - 1) / block_rows_; }
  [[nodiscard]] std::size_t block_rows() const { return block_rows_; }
  [[nodiscard]] std::size_t features() const { return features_; }
  /// [features][block_rows]
  [[nodiscard]] const T* features_of(std::size_t block) const {
    return values_.data() + block * features_ * block_rows_;
  }
  /// [block_rows], as T: whole numbers, or -1 for padding.
  [[nodiscard]] const T* labels_of(std::size_t block) const {
    return labels_.data() + block * block_rows_;
  }
  [[nodiscard]] std::size_t bytes() const { return (values_.size() + labels_.size()) * sizeof(T); }

 private:
  std::size_t rows_;
  std::size_t features_;
  std::size_t block_rows_;
  AlignedArray<T> values_;
  AlignedArray<T> labels_;
};

extern template class SampleBlocks<float>;
extern template class SampleBlocks<double>;

}  // namespace gradmill::ml
