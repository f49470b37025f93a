#include "ml/sample_blocks.h"

#include <algorithm>

#include "base/check.h"

namespace gradmill::ml {
namespace {

// Activations of a block of 384 samples and some dozens of units stay in the second-level cache;
// wide layers get smaller blocks, so that the workspace of a thread stays within megabytes.
constexpr std::size_t kBlockRows = 384;
constexpr std::size_t kWideBlockRows = 64;
constexpr std::uint32_t kWideUnits = 1024;

}  // namespace

std::size_t block_rows(const Topology& topology) {
  GRADMILL_CHECK(!topology.units.empty());
  const std::uint32_t widest = *std::max_element(topology.units.begin(), topology.units.end());
  return widest > kWideUnits ? kWideBlockRows : kBlockRows;
}

template <class T>
SampleBlocks<T>::SampleBlocks(const Shard& shard, std::size_t block_rows)
    : rows_(shard.rows), features_(shard.features), block_rows_(block_rows) {
  values_ = AlignedArray<T>(blocks() * features_ * block_rows_);
  labels_ = AlignedArray<T>(blocks() * block_rows_);
  std::fill_n(labels_.data(), labels_.size(), T(-1));
  for (std::size_t row = 0; row < rows_; ++row) {
    const std::size_t block = row / block_rows_;
    const std::size_t column = row % block_rows_;
    T* const target = values_.data() + block * features_ * block_rows_ + column;
    for (std::size_t feature = 0; feature < features_; ++feature) {
      target[feature * block_rows_] = static_cast<T>(shard.value(row, feature));
    }
    labels_.data()[row] = static_cast<T>(shard.labels[row]);
  }
}

template class SampleBlocks<float>;
template class SampleBlocks<double>;

}  // namespace gradmill::ml
