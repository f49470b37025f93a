#include "ml/batch_kernel.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/check.h"
#include "ml/parallel.h"
#include "ml/unit_function_of.h"

namespace gradmill::ml {
namespace {

template <class T>
constexpr std::size_t kLanes = kLaneBytes / sizeof(T);

// Inputs of one piece of a gradient: those of one panel, and few enough to stay in the cache until
// the optimiser comes.
template <class T>
constexpr std::size_t kPieceInputs = kPanelUnits<T>;
// A batch of fewer operations than this is not worth a second thread.
constexpr double kThreadedFlop = 2e6;

std::size_t rounded_up(std::size_t size, std::size_t step) {
  return (size + step - 1) / step * step;
}

template <class T>
std::size_t padded_units(std::size_t units) {
  return rounded_up(units, kLanes<T>);
}

template <class T>
UnitPanels<T> from_row(const UnitPanels<T>& panels, std::size_t row) {
  return {panels.at + row * panels.row, panels.row, panels.panel};
}

template <class T>
UnitPanels<const T> read_only(const UnitPanels<T>& panels) {
  return {panels.at, panels.row, panels.panel};
}

/// The panel that starts with `unit`.
template <class T>
T* panel_of(const UnitPanels<T>& panels, std::size_t unit) {
  return panels.at + unit / kPanelUnits<std::remove_const_t<T>> * panels.panel;
}

}  // namespace

template <class T>
BatchKernel<T>::BatchKernel(const Topology& topology,
                            Activation activation,
                            double label_smoothing,
                            int threads,
                            const Kernels& set)
    : table_(set.table<T>()),
      topology_(topology),
      function_(unit_function_of(activation)),
      targets_(targets_of<T>(label_smoothing, topology.classes())),
      threads_(std::max(1, threads)) {
  for (const LayerView& view : layer_views(topology)) {
    const std::size_t vectors = rounded_up(view.out, kLanes<T>) / kLanes<T>;
    const std::size_t padded = vectors * kLanes<T>;
    const std::size_t weights = padded * view.in;
    layers_.push_back({view.in, view.out, vectors, size_, size_ + weights});
    size_ += weights + padded;
    plan_work(layers_.size() - 1);
  }
  outputs_.resize(layers_.size());
}

/// `of` as panels with room for the reserved rows of `units` units. A matrix of one panel has
/// no wider rows than it needs.
template <class T>
UnitPanels<T> BatchKernel<T>::panels(AlignedArray<T>& of, std::size_t units) const {
  const std::size_t row = std::min(kPanelUnits<T>, padded_units<T>(units));
  return {of.data(), row, row * rows_reserved_};
}

/// The outputs of layer n, then its deltas.
template <class T>
UnitPanels<T> BatchKernel<T>::outputs(std::size_t n) {
  return panels(outputs_[n], layers_[n].out);
}

/// What layer n reads in training.
template <class T>
UnitPanels<const T> BatchKernel<T>::inputs(std::size_t n) {
  return read_only(n > 0 ? outputs(n - 1) : panels(features_, topology_.features()));
}

template <class T>
void BatchKernel<T>::plan_work(std::size_t n) {
  const Layer& layer = layers_[n];
  std::vector<Work>& work = work_.emplace_back();
  const std::size_t units = layer.vectors * kLanes<T>;
  for (std::size_t unit = 0; unit < units; unit += kPanelUnits<T>) {
    const std::size_t width = std::min(kPanelUnits<T>, units - unit);
    for (std::size_t input = 0; input < layer.in; input += kPieceInputs<T>) {
      const std::size_t inputs = std::min(kPieceInputs<T>, layer.in - input);
      const std::size_t offset = layer.weight + unit * layer.in + input * width;
      work.push_back({{offset, inputs * width, true}, unit, width, input, inputs});
    }
  }
  work.push_back({{layer.bias, units, false}});
  for (const Work& part : work) {
    largest_piece_ = std::max(largest_piece_, part.piece.size);
  }
}

template <class T>
void BatchKernel<T>::import_parameters(std::span<const T> flat, T* block) const {
  std::fill_n(block, size_, T(0));
  const std::vector<LayerView> views = layer_views(topology_);
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    const Layer& layer = layers_[n];
    std::copy_n(flat.data() + views[n].bias, layer.out, block + layer.bias);
    for (const Work& work : work_[n]) {
      const std::size_t last = std::min(layer.out, work.unit + work.width);
      for (std::size_t out = work.unit; out < last; ++out) {
        const T* const from = flat.data() + views[n].weight + out * layer.in + work.first_in;
        T* const to = block + work.piece.offset + (out - work.unit);
        for (std::size_t i = 0; i < work.inputs; ++i) {
          to[i * work.width] = from[i];
        }
      }
    }
  }
}

template <class T>
void BatchKernel<T>::export_parameters(const T* block, std::span<T> flat) const {
  const std::vector<LayerView> views = layer_views(topology_);
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    const Layer& layer = layers_[n];
    std::copy_n(block + layer.bias, layer.out, flat.data() + views[n].bias);
    for (const Work& work : work_[n]) {
      const std::size_t last = std::min(layer.out, work.unit + work.width);
      for (std::size_t out = work.unit; out < last; ++out) {
        T* const to = flat.data() + views[n].weight + out * layer.in + work.first_in;
        const T* const from = block + work.piece.offset + (out - work.unit);
        for (std::size_t i = 0; i < work.inputs; ++i) {
          to[i] = from[i * work.width];
        }
      }
    }
  }
}

template <class T>
int BatchKernel<T>::threads_for(std::size_t rows) const {
  return static_cast<double>(rows) * pass_flop(topology_) < kThreadedFlop ? 1 : threads_;
}

/// Calls f(first, count) for a slice of the rows on each thread.
template <class T>
template <class F>
void BatchKernel<T>::for_each_slice(std::size_t rows, const F& f) const {
  const int threads = threads_for(rows);
  const std::size_t slice =
      (rows + static_cast<std::size_t>(threads) - 1) / static_cast<std::size_t>(threads);
  parallel_for((rows + slice - 1) / slice, threads, [&](std::size_t k, int) {
    f(k * slice, std::min(slice, rows - k * slice));
  });
}

template <class T>
void BatchKernel<T>::reserve(std::size_t rows) {
  // Softmax reads whole vectors of rows.
  rows = rounded_up(rows, kLanes<T>);
  if (rows <= rows_reserved_) {
    return;
  }
  rows_reserved_ = rows;
  const auto room_for = [rows](std::size_t units) {
    const std::size_t padded = padded_units<T>(units);
    return rows * (padded < kPanelUnits<T> ? padded : rounded_up(padded, kPanelUnits<T>));
  };
  features_ = AlignedArray<T>(room_for(topology_.features()));
  labels_.resize(rows);
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    outputs_[n] = AlignedArray<T>(room_for(layers_[n].out));
  }
  const std::size_t of_softmax = kSoftmaxColumns<T> * padded_units<T>(topology_.classes());
  scratch_ = AlignedArray<T>(std::max(rows * kPanelUnits<T>, of_softmax));
}

/// What training alone needs; those who predict have no room to spare.
template <class T>
void BatchKernel<T>::reserve_way_back() {
  if (!back_.empty()) {
    return;
  }
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    // Room for the rows that transpose_panels() writes beyond the end.
    const std::size_t inputs = rounded_up(layers_[n].in, kLanes<T>);
    back_.emplace_back(n > 0 ? inputs * layers_[n].out + kLanes<T> * kPanelUnits<T> : 0);
  }
  pieces_ = AlignedArray<T>(largest_piece_ * static_cast<std::size_t>(threads_));
}

template <class T>
double BatchKernel<T>::batch(const SampleRows<T>& samples,
                             std::span<const std::uint32_t> rows,
                             T* parameters,
                             T* descent,
                             const Step& step) {
  GRADMILL_CHECK(samples.features() == topology_.features() && !rows.empty());
  GRADMILL_CHECK(descent != nullptr || rows.size() <= kRowsAtOnce);
  reserve_way_back();
  double loss = 0;
  for (std::size_t first = 0; first < rows.size(); first += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, rows.size() - first);
    const bool is_last = first + count == rows.size();
    reserve(count);
    gather(samples, rows.subspan(first, count));
    loss += forward_and_loss(parameters, count);
    for (std::size_t n = layers_.size(); n-- > 0;) {
      if (n > 0) {
        // A copy, since the step changes the weights before the delta has passed through them.
        const Layer& layer = layers_[n];
        table_.transpose_panels(back_[n].data(), parameters + layer.weight, layer.out, layer.in);
      }
      gradient(n, descent, count, first > 0, is_last ? &step : nullptr);
      if (n > 0) {
        backward(n, count);
      }
    }
  }
  return loss;
}

template <class T>
void BatchKernel<T>::gather(const SampleRows<T>& samples, std::span<const std::uint32_t> rows) {
  const UnitPanels<T> to = panels(features_, topology_.features());
  const std::size_t padded = padded_units<T>(topology_.features());
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const T* const from = samples.row(rows[k]);
    for (std::size_t unit = 0; unit < padded; unit += kLanes<T>) {
      T* const panel = panel_of(to, unit);
      std::memcpy(panel + k * to.row + unit % kPanelUnits<T>, from + unit, kLaneBytes);
    }
    labels_[k] = samples.labels()[rows[k]];
  }
}

/// Rows [first, first + rows) of the outputs of all layers; the last are the logits.
template <class T>
void BatchKernel<T>::forward(const UnitPanels<const T>& features,
                             const T* parameters,
                             std::size_t first,
                             std::size_t rows) {
  UnitPanels<const T> source = features;
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    const Layer& layer = layers_[n];
    const UnitPanels<T> target = from_row(outputs(n), first);
    table_.unit_forward(n + 1 < layers_.size() ? function_ : UnitFunction::kIdentity,
                        target,
                        source,
                        parameters + layer.weight,
                        parameters + layer.bias,
                        {layer.vectors, layer.in, rows});
    source = read_only(target);
  }
}

template <class T>
double BatchKernel<T>::forward_and_loss(const T* parameters, std::size_t rows) {
  for_each_slice(rows, [&](std::size_t first, std::size_t count) {
    forward(from_row(inputs(0), first), parameters, first, count);
  });
  const FlushSubnormals flush;
  return table_.unit_softmax(outputs(layers_.size() - 1),
                             scratch_.data(),
                             labels_.data(),
                             topology_.classes(),
                             rows,
                             targets_);
}

template <class T>
void BatchKernel<T>::gradient(
    std::size_t n, T* descent, std::size_t rows, bool resume, const Step* step) {
  const Layer& layer = layers_[n];
  const UnitPanels<const T> delta = read_only(outputs(n));
  const UnitPanels<const T> source = inputs(n);
  parallel_for(work_[n].size(), threads_for(rows), [&](std::size_t k, int worker) {
    const Work& work = work_[n][k];
    T* const target = descent != nullptr
                          ? descent + work.piece.offset
                          : pieces_.data() + static_cast<std::size_t>(worker) * largest_piece_;
    if (work.piece.is_weight) {
      table_.unit_gradient(target,
                           work.width,
                           panel_of(delta, work.unit),
                           delta.row,
                           panel_of(source, work.first_in),
                           source.row,
                           work.inputs,
                           rows,
                           resume);
    } else {
      table_.unit_bias_gradient(target, delta, layer.vectors, rows, resume);
    }
    if (step != nullptr) {
      Piece piece = work.piece;
      piece.descent = target;
      (*step)(piece);
    }
  });
}

/// Turns the outputs of layer n - 1 into its deltas.
template <class T>
void BatchKernel<T>::backward(std::size_t n, std::size_t rows) {
  const UnitPanels<T> before = outputs(n - 1);
  for_each_slice(rows, [&](std::size_t first, std::size_t count) {
    table_.unit_backward(function_,
                         from_row(before, first),
                         scratch_.data() + first * before.row,
                         from_row(read_only(outputs(n)), first),
                         back_[n].data(),
                         {layers_[n - 1].vectors, layers_[n].out, count});
  });
}

template <class T>
void BatchKernel<T>::classify(const SampleRows<T>& samples,
                              const T* parameters,
                              std::span<std::int32_t> classes) {
  GRADMILL_CHECK(samples.features() == topology_.features());
  GRADMILL_CHECK(classes.size() == samples.rows());
  std::vector<std::int32_t> largest(kRowsAtOnce);
  for (std::size_t first = 0; first < samples.rows(); first += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, samples.rows() - first);
    reserve(count);
    for_each_slice(count, [&](std::size_t start, std::size_t rows) {
      // Row-major, which is as good as panels for a product.
      const UnitPanels<const T> features = {
          samples.row(first + start), samples.stride(), kPanelUnits<T>};
      forward(features, parameters, start, rows);
    });
    table_.unit_largest_classes(largest.data(),
                                read_only(outputs(layers_.size() - 1)),
                                scratch_.data(),
                                topology_.classes(),
                                count);
    std::copy_n(largest.data(), count, classes.data() + first);
  }
}

template <class T>
std::size_t BatchKernel<T>::count_errors(const SampleRows<T>& samples, const T* parameters) {
  std::vector<std::int32_t> classes(samples.rows());
  classify(samples, parameters, classes);
  std::size_t errors = 0;
  for (std::size_t row = 0; row < classes.size(); ++row) {
    errors += classes[row] != samples.labels()[row] ? 1U : 0U;
  }
  return errors;
}

template <class T>
void BatchKernel<T>::predict(const T* features,
                             std::size_t rows,
                             const T* parameters,
                             std::int32_t* classes,
                             T* probabilities) {
  GRADMILL_CHECK(rows <= kRowsAtOnce);
  reserve(rows);
  const std::size_t stride = topology_.features();
  for_each_slice(rows, [&](std::size_t first, std::size_t count) {
    forward({features + first * stride, stride, kPanelUnits<T>}, parameters, first, count);
  });
  const FlushSubnormals flush;
  table_.unit_most_probable(classes,
                            probabilities,
                            read_only(outputs(layers_.size() - 1)),
                            scratch_.data(),
                            topology_.classes(),
                            rows);
}

template class BatchKernel<float>;
template class BatchKernel<double>;

}  // namespace gradmill::ml
