#include "ml/sample_blocks.h"

#include <algorithm>
#include <variant>

#include "ml/kernel/kernels.h"

namespace gradmill::ml {
namespace {

template <class T>
constexpr std::size_t kLanes = kLaneBytes / sizeof(T);
// What transpose_from_bytes() takes at a time.
constexpr std::size_t kRowsOfBytes = 16;

}  // namespace

template <class T>
SampleBlocks<T>::SampleBlocks(const Shard& shard, const Standardization& standardization)
    : rows_(shard.rows), features_(shard.features) {
  static_assert(kBlockRows % kLanes<T> == 0);
  // The transposition works on whole vectors of features; those beyond the last are overwritten by
  // the next block, or spare.
  const std::size_t spare = (padded_features() - features_) * kBlockRows;
  values_ = AlignedArray<T>::unset(blocks() * features_ * kBlockRows + spare);
  labels_ = AlignedArray<std::int32_t>(blocks() * kBlockRows);
  const auto* const bytes = std::get_if<std::vector<std::uint8_t>>(&shard.values);
  if (bytes != nullptr && standardization.empty()) {
    take_bytes(*bytes);
  } else {
    take_rows(StandardizedRows<T>(shard, standardization));
  }
  // The rest of the last block, of which so far only whole vectors are set.
  if (rows_ > 0) {
    T* const last = values_.data() + (blocks() - 1) * features_ * kBlockRows;
    for (std::size_t feature = 0; feature < features_; ++feature) {
      T* const row = last + feature * kBlockRows;
      std::fill(row + rows_of(blocks() - 1), row + kBlockRows, T(0));
    }
  }
  std::copy(shard.labels.begin(), shard.labels.end(), labels_.data());
}

template <class T>
std::size_t SampleBlocks<T>::padded_features() const {
  return (features_ + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

/// Where the first feature of a row is.
template <class T>
T* SampleBlocks<T>::place_of(std::size_t row) {
  return values_.data() + row / kBlockRows * features_ * kBlockRows + row % kBlockRows;
}

template <class T>
void SampleBlocks<T>::take_bytes(const std::vector<std::uint8_t>& values) {
  static_assert(kBlockRows % kRowsOfBytes == 0);
  const KernelTable<T>& table = kernels().table<T>();
  for (std::size_t first = 0; first < rows_; first += kRowsOfBytes) {
    table.transpose_from_bytes(place_of(first),
                               kBlockRows,
                               values.data() + first * features_,
                               std::min(kRowsOfBytes, rows_ - first),
                               features_);
  }
}

template <class T>
void SampleBlocks<T>::take_rows(const StandardizedRows<T>& rows) {
  const std::size_t padded = padded_features();
  AlignedArray<T> strip(kLanes<T> * padded);
  for (std::size_t first = 0; first < rows_; first += kLanes<T>) {
    const std::size_t count = std::min(kLanes<T>, rows_ - first);
    for (std::size_t k = 0; k < count; ++k) {
      rows.write(first + k, strip.data() + k * padded);
    }
    kernels().table<T>().transpose(
        place_of(first), kBlockRows, strip.data(), padded, kLanes<T>, padded);
  }
}

template class SampleBlocks<float>;
template class SampleBlocks<double>;

}  // namespace gradmill::ml
