#include "ml/block_kernel.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "ml/parallel.h"
#include "ml/unit_function_of.h"

namespace gradmill::ml {
namespace {

template <class T>
constexpr std::size_t kLanes = kLaneBytes / sizeof(T);

std::size_t rounded_up(std::size_t size, std::size_t step) {
  return (size + step - 1) / step * step;
}

}  // namespace

template <class T>
void BlockKernel<T>::Packed::pack(const T* parameters) {
  T* const to = values.data();
  for (std::size_t k = 0; k < order.size(); ++k) {
    to[k] = parameters[order[k]];
  }
}

template <class T>
BlockKernel<T>::BlockKernel(const Topology& topology,
                            Activation activation,
                            int threads,
                            const Kernels& set)
    : table_(set.table<T>()),
      topology_(topology),
      layers_(layer_views(topology)),
      function_(unit_function_of(activation)),
      threads_(std::max(1, threads)),
      workspaces_(static_cast<std::size_t>(threads_)) {
  const std::size_t count = parameter_count(topology);
  for (const LayerView& layer : layers_) {
    const std::size_t size = std::size_t{layer.out} * layer.in;
    Packed ahead = {std::vector<std::uint32_t>(size), AlignedArray<T>(size)};
    Packed back = {std::vector<std::uint32_t>(size), AlignedArray<T>(size)};
    table_.dense_order(ahead.order.data(), layer.out, layer.in, layer.in, 1);
    table_.dense_order(back.order.data(), layer.in, layer.out, 1, layer.in);
    std::vector<std::uint32_t> outer(size);
    table_.outer_order(outer.data(), layer.out, layer.in);
    const auto offset = static_cast<std::uint32_t>(layer.weight);
    for (std::vector<std::uint32_t>* const order : {&ahead.order, &back.order, &outer}) {
      for (std::uint32_t& place : *order) {
        place += offset;
      }
    }
    sums_order_.insert(sums_order_.end(), outer.begin(), outer.end());
    for (std::uint32_t out = 0; out < layer.out; ++out) {
      sums_order_.push_back(static_cast<std::uint32_t>(layer.bias) + out);
    }
    forward_.push_back(std::move(ahead));
    backward_.push_back(std::move(back));
  }
  GRADMILL_CHECK(sums_order_.size() == count);
  sums_ = rounded_up(count, kLanes<T>);
}

template <class T>
void BlockKernel<T>::check(const SampleBlocks<T>& samples, std::span<const T> parameters) const {
  GRADMILL_CHECK(samples.features() == topology_.features());
  GRADMILL_CHECK(parameters.size() == parameter_count(topology_));
}

template <class T>
typename BlockKernel<T>::Workspace& BlockKernel<T>::workspace(int worker) {
  Workspace& space = workspaces_[static_cast<std::size_t>(worker)];
  if (space.outputs.empty()) {
    for (const LayerView& layer : layers_) {
      space.outputs.push_back(AlignedArray<T>::unset(layer.out * kBlockRows));
    }
    space.classes.resize(kBlockRows);
  }
  return space;
}

template <class T>
double BlockKernel<T>::pass(const SampleBlocks<T>& samples,
                            std::span<const T> parameters,
                            std::span<T> descent) {
  check(samples, parameters);
  GRADMILL_CHECK(descent.size() == parameters.size());
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    forward_[n].pack(parameters.data());
    if (n > 0) {
      backward_[n].pack(parameters.data());
    }
  }
  // Blocks are taken in waves, so that the gradients of many blocks do not fill the memory.
  constexpr std::size_t kWave = 16;
  if (partials_.size() == 0) {
    partials_ = AlignedArray<T>(kWave * sums_);
    totals_ = AlignedArray<T>(sums_);
  }
  std::fill_n(totals_.data(), sums_, T(0));
  double loss = 0;
  for (std::size_t first = 0; first < samples.blocks(); first += kWave) {
    const std::size_t count = std::min(kWave, samples.blocks() - first);
    std::array<double, kWave> losses{};
    parallel_for(count, threads_, [&](std::size_t i, int worker) {
      Workspace& space = workspace(worker);
      losses[i] = block_pass(space, samples, first + i, parameters.data());
      table_.reduce_sums(partials_.data() + i * sums_, space.sums.data(), sums_);
    });
    for (std::size_t i = 0; i < count; ++i) {
      const T* const partial = partials_.data() + i * sums_;
      for (std::size_t k = 0; k < sums_; ++k) {
        totals_.data()[k] += partial[k];
      }
      loss += losses[i];
    }
  }
  for (std::size_t k = 0; k < descent.size(); ++k) {
    descent[sums_order_[k]] = totals_.data()[k];
  }
  return loss;
}

template <class T>
void BlockKernel<T>::classify(const SampleBlocks<T>& samples,
                              std::span<const T> parameters,
                              std::span<std::int32_t> classes) {
  check(samples, parameters);
  for (Packed& matrix : forward_) {
    matrix.pack(parameters.data());
  }
  parallel_for(samples.blocks(), threads_, [&](std::size_t block, int worker) {
    Workspace& space = workspace(worker);
    const std::size_t rows = samples.rows_of(block);
    const std::size_t padded = rounded_up(rows, kLanes<T>);
    forward(space, samples.features_of(block), padded, parameters.data());
    table_.largest_classes(
        space.classes.data(), space.outputs.back().data(), topology_.classes(), padded, kBlockRows);
    std::copy_n(space.classes.data(), rows, classes.data() + block * kBlockRows);
  });
}

template <class T>
std::size_t BlockKernel<T>::count_errors(const SampleBlocks<T>& samples,
                                         std::span<const T> parameters) {
  std::vector<std::int32_t> classes(samples.rows());
  classify(samples, parameters, classes);
  std::size_t total = 0;
  for (std::size_t block = 0; block < samples.blocks(); ++block) {
    for (std::size_t row = 0; row < samples.rows_of(block); ++row) {
      total += classes[block * kBlockRows + row] != samples.labels_of(block)[row] ? 1U : 0U;
    }
  }
  return total;
}

template <class T>
void BlockKernel<T>::prepare(std::span<const T> parameters) {
  GRADMILL_CHECK(parameters.size() == parameter_count(topology_));
  prepared_.assign(parameters.begin(), parameters.end());
  for (Packed& matrix : forward_) {
    matrix.pack(prepared_.data());
  }
}

template <class T>
void BlockKernel<T>::predict(const T* features,
                             std::size_t rows,
                             std::int32_t* classes,
                             T* probabilities) {
  GRADMILL_CHECK(rows <= kBlockRows && !prepared_.empty());
  const FlushSubnormals flush;
  Workspace& space = workspace(0);
  const std::size_t padded = rounded_up(rows, kLanes<T>);
  forward(space, features, padded, prepared_.data());
  table_.most_probable(
      classes, probabilities, space.outputs.back().data(), topology_.classes(), padded, kBlockRows);
}

/// Leaves the logits in space.outputs.back().
template <class T>
void BlockKernel<T>::forward(Workspace& space,
                             const T* features,
                             std::size_t samples,
                             const T* parameters) {
  const T* source = features;
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    T* const outputs = space.outputs[n].data();
    table_.dense_forward(n + 1 < layers_.size() ? function_ : UnitFunction::kIdentity,
                         outputs,
                         source,
                         forward_[n].values.data(),
                         parameters + layers_[n].bias,
                         layers_[n].out,
                         layers_[n].in,
                         samples,
                         kBlockRows);
    source = outputs;
  }
}

/// Overwrites space.sums with the block's part of minus the gradient, and returns its loss.
template <class T>
double BlockKernel<T>::block_pass(Workspace& space,
                                  const SampleBlocks<T>& samples,
                                  std::size_t block,
                                  const T* parameters) {
  if (space.sums.size() == 0) {
    space.sums = AlignedArray<T>(sums_ * kLanes<T>);
  }
  T* const sums = space.sums.data();
  const T* const features = samples.features_of(block);
  const std::size_t rows = samples.rows_of(block);
  const std::size_t padded = rounded_up(rows, kLanes<T>);
  forward(space, features, padded, parameters);
  const double loss = table_.softmax_loss(space.outputs.back().data(),
                                          samples.labels_of(block),
                                          topology_.classes(),
                                          padded,
                                          rows,
                                          kBlockRows,
                                          Targets<T>{});
  for (std::size_t n = layers_.size(); n-- > 0;) {
    const LayerView& layer = layers_[n];
    const T* const delta = space.outputs[n].data();
    const T* const source = n > 0 ? space.outputs[n - 1].data() : features;
    T* const of_layer = sums + layer.weight * kLanes<T>;
    table_.outer_product(of_layer, delta, source, layer.out, layer.in, padded, kBlockRows);
    table_.row_sums(sums + layer.bias * kLanes<T>, delta, layer.out, padded, kBlockRows);
    if (n > 0) {
      table_.dense_backward(function_,
                            space.outputs[n - 1].data(),
                            delta,
                            backward_[n].values.data(),
                            layer.in,
                            layer.out,
                            padded,
                            kBlockRows);
    }
  }
  return loss;
}

template class BlockKernel<float>;
template class BlockKernel<double>;

}  // namespace gradmill::ml
