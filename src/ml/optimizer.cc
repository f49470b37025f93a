#include "ml/optimizer.h"

#include <algorithm>
#include <cmath>

namespace gradmill::ml {
namespace {

// As Kingma and Ba 2015; epsilon stands under the root, as its square.
constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilonSquared = 1e-16;

}  // namespace

template <class T>
BatchOptimizer<T>::BatchOptimizer(Optimizer optimizer, std::size_t size, const Kernels& set)
    : table_(set.table<T>()), optimizer_(optimizer) {
  if (optimizer_ == Optimizer::kMomentum || optimizer_ == Optimizer::kAdam) {
    first_ = AlignedArray<T>(size);
  }
  if (optimizer_ == Optimizer::kAdam) {
    second_ = AlignedArray<T>(size);
  }
}

template <class T>
void BatchOptimizer<T>::start(const TrainingRule& rule) {
  eta_ = rule.eta;
  weight_decay_ = rule.weight_decay;
  momentum_ = static_cast<T>(rule.momentum);
  std::fill_n(first_.data(), first_.size(), T(0));
  std::fill_n(second_.data(), second_.size(), T(0));
  beta1_power_ = 1;
  beta2_power_ = 1;
}

template <class T>
void BatchOptimizer<T>::begin_step(double factor, std::size_t rows) {
  const double eta = eta_ * factor;
  const double scale = 1.0 / static_cast<double>(rows);
  step_eta_ = static_cast<T>(eta);
  keep_ = static_cast<T>(1 - eta * weight_decay_);
  scale_ = static_cast<T>(scale);
  beta1_power_ *= kBeta1;
  beta2_power_ *= kBeta2;
  const double correction1 = 1 - beta1_power_;
  const double correction2 = 1 - beta2_power_;
  adam_ = {.scale = scale_,
           .keep = keep_,
           .beta1 = static_cast<T>(kBeta1),
           .beta2 = static_cast<T>(kBeta2),
           .rate = static_cast<T>(eta * std::sqrt(correction2) / correction1),
           .floor = static_cast<T>(correction2 * kEpsilonSquared)};
}

template <class T>
void BatchOptimizer<T>::step_piece(
    T* parameters, const T* descent, std::size_t offset, std::size_t size, bool decays) {
  T* const p = parameters + offset;
  const T keep = decays ? keep_ : T(1);
  if (optimizer_ == Optimizer::kAdam) {
    AdamStep<T> adam = adam_;
    adam.keep = keep;
    table_.adam_step(p, first_.data() + offset, second_.data() + offset, descent, size, adam);
  } else if (optimizer_ == Optimizer::kMomentum) {
    table_.momentum_step(
        p, first_.data() + offset, descent, size, scale_, step_eta_, keep, momentum_);
  } else {
    table_.sgd_step(p, descent, size, step_eta_ * scale_, keep);
  }
}

template class BatchOptimizer<float>;
template class BatchOptimizer<double>;

}  // namespace gradmill::ml
