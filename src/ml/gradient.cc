#include "ml/gradient.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "ml/aligned.h"
#include "ml/lane_math.h"
#include "ml/parallel.h"
#include "ml/tiles.h"

namespace gradmill::ml {
namespace {

// Added to the probability before the logarithm, as the course's rule has it.
constexpr double kLossFloor = 1e-6;
// Partial gradients of all blocks are kept at once up to this size; beyond, one a thread.
constexpr std::size_t kPartialsBytes = std::size_t{32} << 20U;

/// What one thread needs for one block. For layer n: sums[n] = W x + b [out][B], and outputs[n] =
/// what the next layer reads [out][B]; both hold the deltas on the way back.
template <class T>
struct Workspace {
  std::vector<AlignedArray<T>> sums;
  std::vector<AlignedArray<T>> outputs;
};

/// outputs [units][B] = relu(sums); NaN stays NaN.
template <class T>
void relu_block(T* outputs, const T* sums, std::size_t size) {
  using V = Lanes<T>;
  for (std::size_t s = 0; s < size; s += V::kCount) {
    max(V::zero(), V::load(sums + s)).store(outputs + s);
  }
}

/// deltas [units][B] = deltas where sums >= 0, else 0.
template <class T>
void mask_block(T* deltas, const T* sums, std::size_t size) {
  using V = Lanes<T>;
  for (std::size_t s = 0; s < size; s += V::kCount) {
    where_not_negative(V::load(sums + s), V::load(deltas + s)).store(deltas + s);
  }
}

/// Turns logits [classes][B] into onehot - softmax, 0 for padding (label -1), and returns the loss
/// of the block.
template <class T>
double softmax_block(T* logits, const T* labels, std::size_t classes, std::size_t rows) {
  using V = Lanes<T>;
  V losses = V::zero();
  for (std::size_t s = 0; s < rows; s += V::kCount) {
    T* const column = logits + s;
    V top = V::load(column);
    for (std::size_t c = 1; c < classes; ++c) {
      top = max(top, V::load(column + c * rows));
    }
    V sum = V::zero();
    for (std::size_t c = 0; c < classes; ++c) {
      const V exponential = exp_not_positive(V::load(column + c * rows) - top);
      exponential.store(column + c * rows);
      sum = sum + exponential;
    }
    const V label = V::load(labels + s);
    const V used = where_not_negative(label, V::splat(1));
    const V scale = used / sum;
    V of_label = V::zero();
    for (std::size_t c = 0; c < classes; ++c) {
      const V probability = V::load(column + c * rows) * scale;
      const V here = V::splat(static_cast<T>(c));
      of_label = of_label + where_equal(label, here, probability);
      (where_equal(label, here, V::splat(1)) - probability).store(column + c * rows);
    }
    const V loss = log_positive(of_label + V::splat(static_cast<T>(kLossFloor)));
    losses = losses - where_not_negative(label, loss);
  }
  return static_cast<double>(tree_sum(losses));
}

/// The number of samples of a block whose largest logit, the first on ties, is not at the label.
template <class T>
std::size_t count_block_errors(const T* logits,
                               const T* labels,
                               std::size_t classes,
                               std::size_t rows) {
  using V = Lanes<T>;
  std::size_t errors = 0;
  for (std::size_t s = 0; s < rows; s += V::kCount) {
    V top = V::load(logits + s);
    V best = V::zero();
    for (std::size_t c = 1; c < classes; ++c) {
      const V logit = V::load(logits + c * rows + s);
      best = where_greater(logit, top, V::splat(static_cast<T>(c)), best);
      top = max(logit, top);
    }
    alignas(kLaneBytes) std::array<T, V::kCount> chosen{};
    best.store(chosen.data());
    for (std::size_t i = 0; i < V::kCount; ++i) {
      errors += labels[s + i] >= 0 && chosen[i] != labels[s + i] ? 1U : 0U;
    }
  }
  return errors;
}

}  // namespace

template <class T>
class GradientKernel<T>::Implementation {
 public:
  Implementation(const Topology& topology, Activation activation, int threads)
      : topology_(topology),
        layers_(layer_views(topology)),
        activation_(activation),
        threads_(std::max(1, threads)),
        rows_(ml::block_rows(topology)),
        workspaces_(static_cast<std::size_t>(threads_)) {
    for (const LayerView& layer : layers_) {
      forward_.emplace_back(layer.out, layer.in);
      backward_.emplace_back(layer.in, layer.out);
    }
  }

  double pass(const SampleBlocks<T>& samples, std::span<const T> parameters, std::span<T> descent) {
    check(samples, parameters);
    GRADMILL_CHECK(descent.size() == parameters.size());
    pack(parameters, true);
    std::fill(descent.begin(), descent.end(), T(0));
    const std::size_t size = parameters.size();
    const std::size_t wave =
        std::min(samples.blocks(),
                 std::max(static_cast<std::size_t>(threads_), kPartialsBytes / (size * sizeof(T))));
    if (partials_.size() < wave * size) {
      partials_ = AlignedArray<T>(wave * size);
    }
    std::vector<double> losses(samples.blocks());
    for (std::size_t first = 0; first < samples.blocks(); first += wave) {
      const std::size_t count = std::min(wave, samples.blocks() - first);
      parallel_for(count, threads_, [&](std::size_t i, int worker) {
        losses[first + i] = block_pass(
            workspace(worker), samples, first + i, parameters.data(), partials_.data() + i * size);
      });
      for (std::size_t i = 0; i < count; ++i) {
        const T* const partial = partials_.data() + i * size;
        for (std::size_t k = 0; k < size; ++k) {
          descent[k] += partial[k];
        }
      }
    }
    double loss = 0;
    for (const double of_block : losses) {
      loss += of_block;
    }
    return loss;
  }

  std::size_t count_errors(const SampleBlocks<T>& samples, std::span<const T> parameters) {
    check(samples, parameters);
    pack(parameters, false);
    std::vector<std::size_t> errors(samples.blocks());
    parallel_for(samples.blocks(), threads_, [&](std::size_t block, int worker) {
      Workspace<T>& space = workspace(worker);
      forward(space, samples.features_of(block), parameters.data());
      errors[block] = count_block_errors(
          space.sums.back().data(), samples.labels_of(block), topology_.classes(), rows_);
    });
    std::size_t total = 0;
    for (const std::size_t of_block : errors) {
      total += of_block;
    }
    return total;
  }

 private:
  void check(const SampleBlocks<T>& samples, std::span<const T> parameters) const {
    GRADMILL_CHECK(samples.block_rows() == rows_);
    GRADMILL_CHECK(samples.features() == topology_.features());
    GRADMILL_CHECK(parameters.size() == parameter_count(topology_));
  }

  Workspace<T>& workspace(int worker) {
    Workspace<T>& space = workspaces_[static_cast<std::size_t>(worker)];
    if (space.sums.empty()) {
      for (const LayerView& layer : layers_) {
        space.sums.emplace_back(layer.out * rows_);
        space.outputs.emplace_back(layer.out * rows_);
      }
    }
    return space;
  }

  void pack(std::span<const T> parameters, bool also_backward) {
    for (std::size_t n = 0; n < layers_.size(); ++n) {
      const T* const weight = parameters.data() + layers_[n].weight;
      forward_[n].pack(weight, layers_[n].in, 1);
      if (also_backward && n > 0) {
        backward_[n].pack(weight, 1, layers_[n].in);
      }
    }
  }

  /// Leaves the logits in space.sums.back().
  void forward(Workspace<T>& space, const T* features, const T* parameters) {
    const T* source = features;
    for (std::size_t n = 0; n < layers_.size(); ++n) {
      T* const sums = space.sums[n].data();
      dense_block(sums, source, forward_[n], parameters + layers_[n].bias, rows_);
      source = sums;
      if (n + 1 < layers_.size() && activation_ == Activation::kRelu) {
        relu_block(space.outputs[n].data(), sums, space.outputs[n].size());
        source = space.outputs[n].data();
      }
    }
  }

  /// What layer n reads: the features, or the outputs of layer n - 1.
  const T* input_of(std::size_t n, const Workspace<T>& space, const T* features) const {
    if (n == 0) {
      return features;
    }
    return activation_ == Activation::kRelu ? space.outputs[n - 1].data()
                                            : space.sums[n - 1].data();
  }

  /// Overwrites `partial` with the block's minus-gradient, and returns its loss.
  double block_pass(Workspace<T>& space,
                    const SampleBlocks<T>& samples,
                    std::size_t block,
                    const T* parameters,
                    T* partial) {
    const T* const features = samples.features_of(block);
    forward(space, features, parameters);
    T* delta = space.sums.back().data();
    const double loss = softmax_block(delta, samples.labels_of(block), topology_.classes(), rows_);
    for (std::size_t n = layers_.size(); n-- > 0;) {
      const LayerView& layer = layers_[n];
      outer_block(
          partial + layer.weight, delta, input_of(n, space, features), layer.out, layer.in, rows_);
      sum_block(partial + layer.bias, delta, layer.out, rows_);
      if (n > 0) {
        // The outputs of layer n - 1 have been used for the last time: their room takes the delta.
        T* const next = space.outputs[n - 1].data();
        dense_block(next, delta, backward_[n], static_cast<const T*>(nullptr), rows_);
        mask_block(next, space.sums[n - 1].data(), space.outputs[n - 1].size());
        delta = next;
      }
    }
    return loss;
  }

  Topology topology_;
  std::vector<LayerView> layers_;
  Activation activation_;
  int threads_;
  std::size_t rows_;
  std::vector<PackedMatrix<T>> forward_;
  std::vector<PackedMatrix<T>> backward_;
  std::vector<Workspace<T>> workspaces_;
  AlignedArray<T> partials_;
};

template <class T>
GradientKernel<T>::GradientKernel(const Topology& topology, Activation activation, int threads)
    : implementation_(std::make_unique<Implementation>(topology, activation, threads)) {}
template <class T>
GradientKernel<T>::GradientKernel(GradientKernel&&) noexcept = default;
template <class T>
GradientKernel<T>& GradientKernel<T>::operator=(GradientKernel&&) noexcept = default;
template <class T>
GradientKernel<T>::~GradientKernel() = default;

template <class T>
double GradientKernel<T>::pass(const SampleBlocks<T>& samples,
                               std::span<const T> parameters,
                               std::span<T> descent) {
  return implementation_->pass(samples, parameters, descent);
}

template <class T>
std::size_t GradientKernel<T>::count_errors(const SampleBlocks<T>& samples,
                                            std::span<const T> parameters) {
  return implementation_->count_errors(samples, parameters);
}

const char* kernel_id() { return "lanes64-1"; }

double pass_flop(const Topology& topology) {
  double flop = 0;
  for (std::size_t n = 0; n < topology.layers(); ++n) {
    const double products = 2.0 * topology.units[n] * topology.units[n + 1];
    flop += products * (n == 0 ? 2 : 3);
  }
  return flop;
}

template class GradientKernel<float>;
template class GradientKernel<double>;

}  // namespace gradmill::ml
