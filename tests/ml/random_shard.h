// Made-up shards and parameters, the same for a seed on every machine and with every library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "ml/shard.h"
#include "ml/topology.h"

namespace gradmill::ml {

/// Seeded numbers; std's distributions may differ between libraries, its MT19937 does not.
class Draw {
 public:
  explicit Draw(std::uint32_t seed) : generator_(seed) {}
  /// Uniform in [low, high), one of 2^24 steps.
  double between(double low, double high) {
    const auto step = static_cast<std::uint32_t>(generator_() >> 8U);
    return low + (high - low) * (step / 16777216.0);
  }
  /// Uniform in [0, end), for small `end`.
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(between(0, end)); }

 private:
  std::mt19937 generator_;
};

/// Features uniform in [-1, 1), labels uniform in [0, classes).
inline Shard random_shard(std::uint32_t rows,
                          std::uint32_t features,
                          std::uint32_t classes,
                          std::uint32_t seed) {
  Draw draw(seed);
  Shard shard;
  shard.rows = rows;
  shard.features = features;
  shard.classes = classes;
  std::vector<float> values(std::size_t{rows} * features);
  for (float& value : values) {
    value = static_cast<float>(draw.between(-1, 1));
  }
  shard.values = std::move(values);
  for (std::uint32_t row = 0; row < rows; ++row) {
    shard.labels.push_back(static_cast<std::uint16_t>(draw.below(classes)));
  }
  return shard;
}

/// As random_shard for the ends of `topology`.
inline Shard random_shard(std::uint32_t rows, const Topology& topology, std::uint32_t seed) {
  return random_shard(rows, topology.features(), topology.classes(), seed);
}

/// Parameters uniform in [-range, range).
template <class T>
std::vector<T> random_parameters(const Topology& topology, double range, std::uint32_t seed) {
  Draw draw(seed);
  std::vector<T> parameters(parameter_count(topology));
  for (T& parameter : parameters) {
    parameter = static_cast<T>(draw.between(-range, range));
  }
  return parameters;
}

}  // namespace gradmill::ml
