#include "ml/sample_blocks.h"

#include <algorithm>

#include "ml/kernel/kernels.h"

namespace gradmill::ml {

template <class T>
SampleBlocks<T>::SampleBlocks(const Shard& shard, const Standardization& standardization)
    : rows_(shard.rows), features_(shard.features) {
  constexpr std::size_t kLanes = kLaneBytes / sizeof(T);
  static_assert(kBlockRows % kLanes == 0);
  // The transposition works on whole vectors of features; those beyond the last are overwritten by
  // the next block, or spare.
  const std::size_t padded = (features_ + kLanes - 1) / kLanes * kLanes;
  const std::size_t spare = (padded - features_) * kBlockRows;
  values_ = AlignedArray<T>(blocks() * features_ * kBlockRows + spare);
  labels_ = AlignedArray<std::int32_t>(blocks() * kBlockRows);
  const StandardizedRows<T> rows(shard, standardization);
  AlignedArray<T> strip(kLanes * padded);
  for (std::size_t first = 0; first < rows_; first += kLanes) {
    const std::size_t count = std::min(kLanes, rows_ - first);
    for (std::size_t k = 0; k < count; ++k) {
      rows.write(first + k, strip.data() + k * padded);
    }
    std::fill(strip.data() + count * padded, strip.data() + kLanes * padded, T(0));
    T* const block = values_.data() + first / kBlockRows * features_ * kBlockRows;
    kernels().table<T>().transpose(
        block + first % kBlockRows, kBlockRows, strip.data(), padded, kLanes, padded);
  }
  std::copy(shard.labels.begin(), shard.labels.end(), labels_.data());
}

template class SampleBlocks<float>;
template class SampleBlocks<double>;

}  // namespace gradmill::ml
