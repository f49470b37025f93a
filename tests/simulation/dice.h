// Random choices of a history, all from its seed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "coordinator/core/nodes/node_registry.h"

namespace gradmill::simulation {

using coordinator::Duration;
using coordinator::TimePoint;

/// Spreads the bits of `value` (SplitMix64).
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

/// The same choices for the same seed, everywhere. Its bias, below 2^-40, is of no matter here.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(mixed(seed)) {}

  std::uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15U); }
  /// In [0, size), size >= 1.
  std::size_t below(std::size_t size) { return static_cast<std::size_t>(next() % size); }
  /// Both ends included.
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(below(high - low + 1));
  }
  Duration between(Duration low, Duration high) {
    const auto span = static_cast<std::size_t>((high - low).count());
    return low + Duration(static_cast<Duration::rep>(below(span + 1)));
  }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11U) * 0x1p-53 < probability;
  }
  template <class Value, std::size_t size>
  const Value& one_of(const std::array<Value, size>& values) {
    return values[below(size)];
  }

 private:
  std::uint64_t state_;
};

}  // namespace gradmill::simulation
