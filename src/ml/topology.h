// The shape of a multilayer perceptron, and where each tensor lies in its flat parameter block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gradmill::ml {

/// Caps that every shape must keep; a hostile or mistaken shape is refused before any allocation.
inline constexpr std::size_t kLayersMax = 64;
inline constexpr std::uint32_t kUnitsMax = 65'536;
inline constexpr std::uint64_t kParametersMax = 100'000'000;

/// Units of each layer, from the features to the classes: {16, 24, 26} for letters with h 24.
struct Topology {
  std::vector<std::uint32_t> units;

  [[nodiscard]] std::uint32_t features() const { return units.front(); }
  [[nodiscard]] std::uint32_t classes() const { return units.back(); }
  /// Layers of weights: one fewer than layers of units.
  [[nodiscard]] std::size_t layers() const { return units.size() - 1; }
  friend bool operator==(const Topology&, const Topology&) = default;
};

/// One layer of weights in the flat block: `layers.N.weight` [out, in], then `layers.N.bias` [out].
struct LayerView {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  std::size_t weight = 0;  ///< Offset of weight [out, in], row-major, in elements.
  std::size_t bias = 0;    ///< Offset of bias [out], in elements.
};

/// The number of parameters, or 0 if the topology breaks a cap (too many layers, units or
/// parameters, a layer without units, fewer than two layers of units).
[[nodiscard]] std::uint64_t parameter_count(const Topology& topology);

/// The layers of a topology within the caps, in the order of the flat block, which is also the
/// order of the model file's data.
[[nodiscard]] std::vector<LayerView> layer_views(const Topology& topology);

/// Floating-point operations of one sample in one pass forward and back, counted as the products
/// alone.
[[nodiscard]] double pass_flop(const Topology& topology);

}  // namespace gradmill::ml
