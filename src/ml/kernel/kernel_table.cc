// Compiled once for each instruction set, with GRADMILL_ISA naming it.
#include "ml/kernel/kernel_table.h"

#include "ml/kernel/optimizer_steps.h"
#include "ml/kernel/sample_softmax.h"
#include "ml/kernel/sample_tiles.h"
#include "ml/kernel/transpose.h"
#include "ml/kernel/unit_tiles.h"

namespace gradmill::ml {
inline namespace GRADMILL_ISA {
namespace {

/// Calls f with an object of the function's class.
template <class F>
[[gnu::always_inline]] inline void with_hidden_function(UnitFunction function, const F& f) {
  switch (function) {
    case UnitFunction::kRelu:
      return f(Relu{});
    case UnitFunction::kTanh:
      return f(Tanh{});
    case UnitFunction::kSigmoid:
      return f(Sigmoid{});
    case UnitFunction::kMlPy:
    case UnitFunction::kIdentity:
      return f(MlPy{});
  }
}

template <class T>
void dense_forward_by(UnitFunction function,
                      T* target,
                      const T* source,
                      const T* packed,
                      const T* bias,
                      std::size_t out,
                      std::size_t in,
                      std::size_t samples,
                      std::size_t ld) {
  with_hidden_function(function, [&]<class Unit>(Unit) {
    dense_forward<Unit>(target, source, packed, bias, out, in, samples, ld);
  });
}

template <class T>
void dense_backward_by(UnitFunction function,
                       T* outputs,
                       const T* source,
                       const T* packed,
                       std::size_t out,
                       std::size_t in,
                       std::size_t samples,
                       std::size_t ld) {
  with_hidden_function(function, [&]<class Unit>(Unit) {
    dense_backward<Unit>(outputs, source, packed, out, in, samples, ld);
  });
}

template <class T>
void unit_forward_by(UnitFunction function,
                     const UnitPanels<T>& target,
                     const UnitPanels<const T>& source,
                     const T* weights,
                     const T* bias,
                     const LayerSize& size) {
  with_hidden_function(
      function, [&]<class Unit>(Unit) { unit_forward<Unit>(target, source, weights, bias, size); });
}

template <class T>
void unit_backward_by(UnitFunction function,
                      const UnitPanels<T>& outputs,
                      T* scratch,
                      const UnitPanels<const T>& source,
                      const T* weights,
                      const LayerSize& size) {
  with_hidden_function(function, [&]<class Unit>(Unit) {
    unit_backward<Unit>(outputs, scratch, source, weights, size);
  });
}

template <class T>
constexpr KernelTable<T> table_of() {
  return {
      .dense_order = dense_order,
      .dense_forward = dense_forward_by<T>,
      .dense_backward = dense_backward_by<T>,
      .outer_order = outer_order,
      .outer_product = outer_product<T>,
      .row_sums = row_sums<T>,
      .reduce_sums = reduce_sums<T>,
      .softmax_loss = softmax_loss<T>,
      .largest_classes = largest_classes<T>,
      .most_probable = most_probable<T>,
      .unit_forward = unit_forward_by<T>,
      .unit_backward = unit_backward_by<T>,
      .unit_gradient = unit_gradient<T>,
      .unit_bias_gradient = unit_bias_gradient<T>,
      .transpose = transpose<T>,
      .transpose_from_bytes = transpose_from_bytes<T>,
      .transpose_panels = transpose_panels<T>,
      .unit_softmax = unit_softmax<T>,
      .unit_largest_classes = unit_largest_classes<T>,
      .unit_most_probable = unit_most_probable<T>,
      .sgd_step = sgd_step<T>,
      .momentum_step = momentum_step<T>,
      .adam_step = adam_step<T>,
  };
}

constexpr const char* kName = kRegisterBytes == 64   ? "avx512"
                              : kRegisterBytes == 32 ? "avx2"
                                                     : "baseline";

}  // namespace

const Kernels& all() {
  static constexpr Kernels kAll = {kName, table_of<float>(), table_of<double>()};
  return kAll;
}

}  // namespace GRADMILL_ISA
}  // namespace gradmill::ml
