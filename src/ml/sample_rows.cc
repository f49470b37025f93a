#include "ml/sample_rows.h"

namespace gradmill::ml {

template <class T>
SampleRows<T>::SampleRows(const Shard& shard, const Standardization& standardization)
    : rows_(shard.rows),
      features_(shard.features),
      values_(rows_ * row_stride<T>(features_)),
      labels_(rows_) {
  const StandardizedRows<T> rows(shard, standardization);
  for (std::size_t row = 0; row < rows_; ++row) {
    rows.write(row, values_.data() + row * stride());
    labels_.data()[row] = shard.labels[row];
  }
}

template class SampleRows<float>;
template class SampleRows<double>;

}  // namespace gradmill::ml
