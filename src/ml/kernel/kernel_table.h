// The kernels as a table of functions on plain pointers: the border between code that is compiled
// for each instruction set and code that is compiled once.
//
// T is float or double. Arrays start on 64 bytes, and leading dimensions (ld...) are whole vectors.
// The functions themselves are described where they are defined.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradmill::ml {

/// The function of a layer's units.
enum class UnitFunction { kIdentity, kRelu, kTanh, kSigmoid, kMlPy };

/// Where the output layer is trained towards: `on` at the label and `off` elsewhere.
template <class T>
struct Targets {
  T on = 1;
  T off = 0;
};

/// Adam's constants of one step.
template <class T>
struct AdamStep {
  T scale;  ///< From the summed to the mean gradient.
  T keep;   ///< What decoupled weight decay leaves of a parameter.
  T beta1;
  T beta2;
  T rate;   ///< eta with both bias corrections.
  T floor;  ///< Added to the second moment under the root: epsilon squared with its correction.
};

/// Units of a panel of weights or activations; see unit_tiles.h.
template <class T>
inline constexpr std::size_t kPanelUnits = 256 / sizeof(T);

/// A matrix of samples by units in panels: unit u of row r is
/// at[u / kPanelUnits * panel + r * row + u % kPanelUnits]. With panel = kPanelUnits it is
/// row-major.
template <class T>
struct UnitPanels {
  T* at;
  std::size_t row;
  std::size_t panel;
};

/// A product of `rows` samples with a layer from `in` inputs to `vectors` vectors of units.
struct LayerSize {
  std::size_t vectors;
  std::size_t in;
  std::size_t rows;
};

template <class T>
struct KernelTable {
  // Samples in lanes; see sample_tiles.h and sample_softmax.h.
  void (*dense_order)(std::uint32_t* order,
                      std::size_t out,
                      std::size_t in,
                      std::size_t out_stride,
                      std::size_t in_stride);
  void (*dense_forward)(UnitFunction function,
                        T* target,
                        const T* source,
                        const T* packed,
                        const T* bias,
                        std::size_t out,
                        std::size_t in,
                        std::size_t samples,
                        std::size_t ld);
  void (*dense_backward)(UnitFunction function,
                         T* outputs,
                         const T* source,
                         const T* packed,
                         std::size_t out,
                         std::size_t in,
                         std::size_t samples,
                         std::size_t ld);
  void (*outer_order)(std::uint32_t* order, std::size_t out, std::size_t in);
  void (*outer_product)(T* sums,
                        const T* left,
                        const T* right,
                        std::size_t out,
                        std::size_t in,
                        std::size_t samples,
                        std::size_t ld);
  void (*row_sums)(T* sums, const T* left, std::size_t out, std::size_t samples, std::size_t ld);
  void (*reduce_sums)(T* totals, const T* sums, std::size_t count);
  double (*softmax_loss)(T* logits,
                         const std::int32_t* labels,
                         std::size_t classes,
                         std::size_t samples,
                         std::size_t valid,
                         std::size_t ld,
                         const Targets<T>& targets);
  void (*largest_classes)(std::int32_t* best,
                          const T* logits,
                          std::size_t classes,
                          std::size_t samples,
                          std::size_t ld);
  void (*most_probable)(std::int32_t* best,
                        T* probability,
                        const T* logits,
                        std::size_t classes,
                        std::size_t samples,
                        std::size_t ld);

  // Units in lanes; see unit_tiles.h.
  void (*unit_forward)(UnitFunction function,
                       const UnitPanels<T>& target,
                       const UnitPanels<const T>& source,
                       const T* weights,
                       const T* bias,
                       const LayerSize& size);
  void (*unit_backward)(UnitFunction function,
                        const UnitPanels<T>& outputs,
                        T* scratch,
                        const UnitPanels<const T>& source,
                        const T* weights,
                        const LayerSize& size);
  void (*unit_gradient)(T* gradient,
                        std::size_t units,
                        const T* delta,
                        std::size_t ldd,
                        const T* source,
                        std::size_t lds,
                        std::size_t inputs,
                        std::size_t rows,
                        bool resume);
  void (*unit_bias_gradient)(T* gradient,
                             const UnitPanels<const T>& delta,
                             std::size_t vectors,
                             std::size_t rows,
                             bool resume);
  void (*transpose)(T* to,
                    std::size_t ldt,
                    const T* from,
                    std::size_t ldf,
                    std::size_t rows,
                    std::size_t columns);
  void (*transpose_from_bytes)(
      T* to, std::size_t ldt, const std::uint8_t* from, std::size_t rows, std::size_t columns);
  void (*transpose_panels)(T* to, const T* from, std::size_t out, std::size_t in);
  double (*unit_softmax)(const UnitPanels<T>& logits,
                         T* scratch,
                         const std::int32_t* labels,
                         std::size_t classes,
                         std::size_t rows,
                         const Targets<T>& targets);
  void (*unit_largest_classes)(std::int32_t* best,
                               const UnitPanels<const T>& logits,
                               T* scratch,
                               std::size_t classes,
                               std::size_t rows);
  void (*unit_most_probable)(std::int32_t* best,
                             T* probability,
                             const UnitPanels<const T>& logits,
                             T* scratch,
                             std::size_t classes,
                             std::size_t rows);

  // Optimisers; see optimizer_steps.h.
  void (*sgd_step)(T* p, const T* descent, std::size_t size, T step, T keep);
  void (*momentum_step)(
      T* p, T* velocity, const T* descent, std::size_t size, T scale, T eta, T keep, T momentum);
  void (*adam_step)(
      T* p, T* first, T* second, const T* descent, std::size_t size, const AdamStep<T>& step);
};

/// Elements of `scratch` that unit_softmax() and what finds the largest classes need for each
/// padded class.
template <class T>
inline constexpr std::size_t kSoftmaxColumns = 256 / sizeof(T);

/// The kernels of one instruction set.
struct Kernels {
  const char* name;
  KernelTable<float> in_float;
  KernelTable<double> in_double;

  template <class T>
  [[nodiscard]] const KernelTable<T>& table() const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return in_float;
    } else {
      return in_double;
    }
  }
};

}  // namespace gradmill::ml
