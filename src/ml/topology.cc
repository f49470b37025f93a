#include "ml/topology.h"

#include <algorithm>

#include "base/check.h"

namespace gradmill::ml {

std::uint64_t parameter_count(const Topology& topology) {
  if (topology.units.size() < 2 || topology.units.size() > kLayersMax + 1) {
    return 0;
  }
  const bool sized = std::all_of(topology.units.begin(), topology.units.end(), [](auto units) {
    return units >= 1 && units <= kUnitsMax;
  });
  if (!sized) {
    return 0;
  }
  std::uint64_t count = 0;
  for (std::size_t n = 0; n < topology.layers(); ++n) {
    count += (std::uint64_t{topology.units[n]} + 1) * topology.units[n + 1];
  }
  return count <= kParametersMax ? count : 0;
}

std::vector<LayerView> layer_views(const Topology& topology) {
  GRADMILL_CHECK(parameter_count(topology) > 0);
  std::vector<LayerView> views;
  std::size_t offset = 0;
  for (std::size_t n = 0; n < topology.layers(); ++n) {
    LayerView view;
    view.in = topology.units[n];
    view.out = topology.units[n + 1];
    view.weight = offset;
    view.bias = offset + std::size_t{view.in} * view.out;
    offset = view.bias + view.out;
    views.push_back(view);
  }
  return views;
}

double pass_flop(const Topology& topology) {
  double flop = 0;
  for (std::size_t n = 0; n < topology.layers(); ++n) {
    const double products = 2.0 * topology.units[n] * topology.units[n + 1];
    flop += products * (n == 0 ? 2 : 3);
  }
  return flop;
}

}  // namespace gradmill::ml
