#include "ml/server_optimizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.h"

namespace gradmill::ml {
namespace {

constexpr double kAdamBeta2 = 0.99;
constexpr double kAdamEpsilon = 1e-3;

// Strips stay in cache; within one, each element still sums its shards in order.
constexpr std::size_t kStrip = 2048;
using Strip = std::array<double, kStrip>;

template <class T>
T element(std::string_view bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// By squaring: std::pow may differ in the last bit between machines.
double power(double base, std::uint32_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1U, base *= base) {
    result *= (exponent & 1U) != 0 ? base : 1;
  }
  return result;
}

/// The average delta of the elements from `first` on.
template <class T>
void average(std::span<const WeightedDelta> deltas,
             double rows,
             std::size_t first,
             std::span<double> strip) {
  std::fill(strip.begin(), strip.end(), 0.0);
  for (const WeightedDelta& shard : deltas) {
    const auto weight = static_cast<double>(shard.rows);
    for (std::size_t k = 0; k < strip.size(); ++k) {
      strip[k] += weight * static_cast<double>(element<T>(shard.delta, first + k));
    }
  }
  for (double& value : strip) {
    value /= rows;
  }
}

/// One rule at one round: turns average deltas into steps and moves the state along.
class Rule {
 public:
  Rule(const ServerRule& rule, std::uint32_t round, std::size_t size, ServerState& state)
      : rule_(rule),
        state_(state),
        correction1_(1 - power(rule.momentum, round)),
        correction2_(1 - power(kAdamBeta2, round)) {
    GRADMILL_CHECK(round >= 1);
    grow(state.first, rule.optimizer == ServerOptimizer::kAverage ? 0 : size);
    grow(state.second, rule.optimizer == ServerOptimizer::kAdam ? size : 0);
  }

  /// `strip` has the average deltas of the elements from `first` on, and then their steps.
  void apply(std::size_t first, std::span<double> strip) {
    switch (rule_.optimizer) {
      case ServerOptimizer::kAverage:
        break;
      case ServerOptimizer::kMomentum:
        return momentum(strip, state_.first.data() + first);
      case ServerOptimizer::kAdam:
        return adam(strip, state_.first.data() + first, state_.second.data() + first);
    }
    for (double& value : strip) {
      value *= rule_.eta;
    }
  }

 private:
  static void grow(std::vector<double>& values, std::size_t size) {
    GRADMILL_CHECK(values.empty() || values.size() == size);
    values.resize(size);
  }

  void momentum(std::span<double> strip, double* velocity) const {
    const double factor = rule_.momentum;
    const double eta = rule_.eta;
    for (std::size_t k = 0; k < strip.size(); ++k) {
      velocity[k] = factor * velocity[k] + strip[k];
      strip[k] = eta * velocity[k];
    }
  }

  void adam(std::span<double> strip, double* first, double* second) const {
    const double beta = rule_.momentum;
    // The bias corrections, once instead of a division an element.
    const double eta = rule_.eta / correction1_;
    const double scale = 1 / correction2_;
    for (std::size_t k = 0; k < strip.size(); ++k) {
      first[k] = beta * first[k] + (1 - beta) * strip[k];
      second[k] = kAdamBeta2 * second[k] + (1 - kAdamBeta2) * (strip[k] * strip[k]);
      strip[k] = eta * first[k] / (std::sqrt(scale * second[k]) + kAdamEpsilon);
    }
  }

  const ServerRule rule_;
  ServerState& state_;
  const double correction1_;
  const double correction2_;
};

template <class T>
std::string step(std::string_view weights,
                 std::span<const WeightedDelta> deltas,
                 const ServerRule& server_rule,
                 std::uint32_t round,
                 ServerState& state) {
  double rows = 0;
  for (const WeightedDelta& shard : deltas) {
    GRADMILL_CHECK(shard.delta.size() == weights.size() && shard.rows > 0);
    rows += static_cast<double>(shard.rows);
  }
  GRADMILL_CHECK(rows > 0 && weights.size() % sizeof(T) == 0);
  const std::size_t size = weights.size() / sizeof(T);
  Rule rule(server_rule, round, size, state);
  std::string result(weights.size(), '\0');
  Strip buffer{};
  for (std::size_t first = 0; first < size; first += kStrip) {
    const std::span<double> strip(buffer.data(), std::min(kStrip, size - first));
    average<T>(deltas, rows, first, strip);
    rule.apply(first, strip);
    for (std::size_t k = 0; k < strip.size(); ++k) {
      const T value =
          static_cast<T>(static_cast<double>(element<T>(weights, first + k)) + strip[k]);
      std::memcpy(result.data() + (first + k) * sizeof(T), &value, sizeof(T));
    }
  }
  return result;
}

/// Whether all are below `infinity` but for the sign; by the largest, which vectorises well.
template <class Bits>
bool finite(std::string_view bytes, Bits infinity) {
  Bits largest = 0;
  for (std::size_t k = 0; k < bytes.size() / sizeof(Bits); ++k) {
    const Bits magnitude = element<Bits>(bytes, k) & (~Bits{0} >> 1U);
    largest = std::max(largest, magnitude);
  }
  return largest < infinity;
}

}  // namespace

std::string server_step(std::string_view weights,
                        std::span<const WeightedDelta> deltas,
                        Precision precision,
                        const ServerRule& rule,
                        std::uint32_t round,
                        ServerState& state) {
  return precision == Precision::kDouble ? step<double>(weights, deltas, rule, round, state)
                                         : step<float>(weights, deltas, rule, round, state);
}

bool all_finite(std::string_view elements, Precision precision) {
  return precision == Precision::kDouble ? finite<std::uint64_t>(elements, 0x7FF0000000000000U)
                                         : finite<std::uint32_t>(elements, 0x7F800000U);
}

}  // namespace gradmill::ml
