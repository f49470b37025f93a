// A shard with its samples in lanes: feature-major blocks of a fixed number of samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ml/aligned.h"
#include "ml/shard.h"
#include "ml/standardization.h"

namespace gradmill::ml {

/// Rows of one block, whatever the topology and the threads: block boundaries, and with them every
/// sum, depend on the data alone.
inline constexpr std::size_t kBlockRows = 384;

/// Samples in blocks of kBlockRows: features [blocks][features][kBlockRows] and labels
/// [blocks][kBlockRows]. The last block is padded with zero features and the label 0. Immutable
/// once built, so threads may share it.
template <class T>
class SampleBlocks {
 public:
  SampleBlocks(const Shard& shard, const Standardization& standardization);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t blocks() const { return (rows_ + kBlockRows - 1) / kBlockRows; }
  /// Samples of a block that are not padding.
  [[nodiscard]] std::size_t rows_of(std::size_t block) const {
    return block + 1 < blocks() ? kBlockRows : rows_ - block * kBlockRows;
  }
  [[nodiscard]] std::size_t features() const { return features_; }
  /// [features][kBlockRows]
  [[nodiscard]] const T* features_of(std::size_t block) const {
    return values_.data() + block * features_ * kBlockRows;
  }
  /// [kBlockRows]
  [[nodiscard]] const std::int32_t* labels_of(std::size_t block) const {
    return labels_.data() + block * kBlockRows;
  }
  [[nodiscard]] std::size_t bytes() const {
    return values_.size() * sizeof(T) + labels_.size() * sizeof(std::int32_t);
  }

 private:
  [[nodiscard]] std::size_t padded_features() const;
  T* place_of(std::size_t row);
  void take_bytes(const std::vector<std::uint8_t>& values);
  void take_rows(const StandardizedRows<T>& rows);

  std::size_t rows_;
  std::size_t features_;
  AlignedArray<T> values_;
  AlignedArray<std::int32_t> labels_;
};

extern template class SampleBlocks<float>;
extern template class SampleBlocks<double>;

}  // namespace gradmill::ml
