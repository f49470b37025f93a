#include "ml/predictor.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ml/aligned.h"
#include "ml/batch_kernel.h"
#include "ml/block_kernel.h"
#include "ml/parameter_bytes.h"

namespace gradmill::ml {
namespace {

template <class T>
constexpr std::size_t kLanes = kLaneBytes / sizeof(T);
// What transpose_from_bytes() takes at a time.
constexpr std::size_t kRowsOfBytes = 16;
// Beyond so many features a table of bytes does not stay in a cache.
constexpr std::size_t kFeaturesOfTable = 1024;

template <class T>
BatchKernel<T> batch_kernel(const Network& network) {
  return BatchKernel<T>(network.topology, network.activation, 0, 1);
}

}  // namespace

struct PreparedNetwork::Layout {
  explicit Layout(Network of) : network(std::move(of)) {}
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  virtual ~Layout() = default;
  [[nodiscard]] virtual std::unique_ptr<Predictor::Work> work() const = 0;
  [[nodiscard]] virtual std::size_t bytes() const = 0;

  Network network;
};

class Predictor::Work {
 public:
  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work() = default;
  virtual void predict(const RowsView& rows, std::uint16_t* classes, float* probabilities) = 0;
};

/// The parameters for one precision: in the layout of layer_views() for BlockKernel, else as a
/// block of BatchKernel.
template <class T>
struct PreparedNetwork::LayoutOf final : Layout {
  explicit LayoutOf(Network of) : Layout(std::move(of)) {
    const std::vector<T> flat = parameters_from<T>(network.parameters);
    network.parameters = {};
    GRADMILL_CHECK(flat.size() == parameter_count(network.topology));
    is_small = flat.size() <= BlockKernel<T>::kParametersBest;
    if (is_small) {
      parameters = AlignedArray<T>::unset(flat.size());
      std::copy(flat.begin(), flat.end(), parameters.data());
    } else {
      const BatchKernel<T> kernel = batch_kernel<T>(network);
      parameters = AlignedArray<T>::unset(kernel.size());
      kernel.import_parameters(flat, parameters.data());
    }
    if (network.topology.features() <= kFeaturesOfTable) {
      of_byte = standardized_bytes<T>(network.standardization);
    }
  }
  [[nodiscard]] std::unique_ptr<Predictor::Work> work() const override;
  [[nodiscard]] std::size_t bytes() const override {
    return (parameters.size() + of_byte.size()) * sizeof(T);
  }
  /// Writes row `row` as the kernels see it.
  void write(const RowsView& rows, std::size_t row, T* target) const {
    const std::size_t first = row * rows.features;
    if (const auto* const bytes = std::get_if<const std::uint8_t*>(&rows.values)) {
      write_standardized<T>(
          {*bytes + first, rows.features}, network.standardization, of_byte, target);
    } else {
      const float* const floats = std::get<const float*>(rows.values);
      write_standardized<T>({floats + first, rows.features}, network.standardization, target);
    }
  }

  bool is_small = false;
  AlignedArray<T> parameters;
  std::vector<T> of_byte;
};

/// Samples in lanes, for small networks.
template <class T>
class Predictor::InBlocks final : public Work {
 public:
  explicit InBlocks(const PreparedNetwork::LayoutOf<T>& layout)
      : layout_(layout),
        kernel_(layout.network.topology, layout.network.activation, 1),
        padded_((layout.network.topology.features() + kLanes<T> - 1) / kLanes<T> * kLanes<T>),
        features_(padded_ * kBlockRows),
        strip_(kLanes<T> * padded_) {
    kernel_.prepare({layout.parameters.data(), layout.parameters.size()});
  }

  void predict(const RowsView& rows, std::uint16_t* classes, float* probabilities) override {
    for (std::size_t first = 0; first < rows.rows; first += kBlockRows) {
      const std::size_t count = std::min(kBlockRows, rows.rows - first);
      take(rows, first, count);
      kernel_.predict(features_.data(), count, best_.data(), probability_.data());
      std::copy_n(best_.data(), count, classes + first);
      std::copy_n(probability_.data(), count, probabilities + first);
    }
  }

 private:
  void take(const RowsView& rows, std::size_t first, std::size_t count) {
    const auto* const bytes = std::get_if<const std::uint8_t*>(&rows.values);
    if (bytes != nullptr && layout_.network.standardization.empty()) {
      for (std::size_t k = 0; k < count; k += kRowsOfBytes) {
        kernels().table<T>().transpose_from_bytes(features_.data() + k,
                                                  kBlockRows,
                                                  *bytes + (first + k) * rows.features,
                                                  std::min(kRowsOfBytes, count - k),
                                                  rows.features);
      }
      return;
    }
    for (std::size_t k = 0; k < count; k += kLanes<T>) {
      for (std::size_t row = k; row < std::min(k + kLanes<T>, count); ++row) {
        layout_.write(rows, first + row, strip_.data() + (row - k) * padded_);
      }
      kernels().table<T>().transpose(
          features_.data() + k, kBlockRows, strip_.data(), padded_, kLanes<T>, padded_);
    }
  }

  const PreparedNetwork::LayoutOf<T>& layout_;
  BlockKernel<T> kernel_;
  std::size_t padded_;
  AlignedArray<T> features_;  // [features][kBlockRows]
  AlignedArray<T> strip_;     // a vector of rows
  std::array<std::int32_t, kBlockRows> best_{};
  alignas(kLaneBytes) std::array<T, kBlockRows> probability_{};
};

/// Units in lanes, for all others.
template <class T>
class Predictor::InRows final : public Work {
 public:
  explicit InRows(const PreparedNetwork::LayoutOf<T>& layout)
      : layout_(layout), kernel_(batch_kernel<T>(layout.network)) {}

  void predict(const RowsView& rows, std::uint16_t* classes, float* probabilities) override {
    for (std::size_t first = 0; first < rows.rows; first += BatchKernel<T>::kRowsAtOnce) {
      const std::size_t count = std::min(BatchKernel<T>::kRowsAtOnce, rows.rows - first);
      reserve(count, rows.features);
      for (std::size_t row = 0; row < count; ++row) {
        layout_.write(rows, first + row, features_.data() + row * rows.features);
      }
      kernel_.predict(
          features_.data(), count, layout_.parameters.data(), best_.data(), probability_.data());
      std::copy_n(best_.data(), count, classes + first);
      std::copy_n(probability_.data(), count, probabilities + first);
    }
  }

 private:
  void reserve(std::size_t rows, std::size_t features) {
    if (rows <= rows_) {
      return;
    }
    rows_ = (rows + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
    features_ = AlignedArray<T>::unset(rows_ * features);
    best_.resize(rows_);
    probability_ = AlignedArray<T>::unset(rows_);
  }

  const PreparedNetwork::LayoutOf<T>& layout_;
  BatchKernel<T> kernel_;
  std::size_t rows_ = 0;  // that there is room for
  AlignedArray<T> features_;
  std::vector<std::int32_t> best_;
  AlignedArray<T> probability_;
};

template <class T>
std::unique_ptr<Predictor::Work> PreparedNetwork::LayoutOf<T>::work() const {
  if (is_small) {
    return std::make_unique<Predictor::InBlocks<T>>(*this);
  }
  return std::make_unique<Predictor::InRows<T>>(*this);
}

PreparedNetwork::PreparedNetwork(Network network) {
  if (network.precision == Precision::kDouble) {
    layout_ = std::make_unique<LayoutOf<double>>(std::move(network));
  } else {
    layout_ = std::make_unique<LayoutOf<float>>(std::move(network));
  }
}

PreparedNetwork::~PreparedNetwork() = default;

const Topology& PreparedNetwork::topology() const { return layout_->network.topology; }

std::size_t PreparedNetwork::bytes() const { return layout_->bytes(); }

Predictor::Predictor(std::shared_ptr<const PreparedNetwork> network)
    : network_(std::move(network)), work_(network_->layout_->work()) {}

Predictor::~Predictor() = default;

void Predictor::predict(const RowsView& rows, std::uint16_t* classes, float* probabilities) {
  GRADMILL_CHECK(rows.features == network_->topology().features());
  work_->predict(rows, classes, probabilities);
}

}  // namespace gradmill::ml
