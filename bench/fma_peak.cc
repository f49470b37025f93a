#include "fma_peak.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "ml/kernel/lanes.h"

namespace gradmill::bench {
namespace {

using Clock = std::chrono::steady_clock;

// More chains than the latency of an operation times the operations a cycle, fewer than registers.
constexpr std::size_t kChains = 12;
constexpr std::size_t kSteps = 20'000;

/// Seconds of one trial.
template <class T>
double trial(volatile T* sink) {
  using V = ml::Lanes<T>;
  V chains[kChains];
  for (std::size_t c = 0; c < kChains; ++c) {
    chains[c] = V::splat(static_cast<T>(c));
  }
  const V factor = V::splat(T(0.999));
  const V term = V::splat(T(0.001));
  const Clock::time_point start = Clock::now();
  for (std::size_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (std::size_t c = 0; c < kChains; ++c) {
      chains[c] = fma(chains[c], factor, term);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  V sum = chains[0];
  for (std::size_t c = 1; c < kChains; ++c) {
    sum = sum + chains[c];
  }
  *sink = tree_sum(sum);
  return seconds;
}

template <class T>
double peak(double seconds) {
  volatile T sink = 0;
  double best = trial<T>(&sink);
  const Clock::time_point start = Clock::now();
  while (std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
    best = std::min(best, trial<T>(&sink));
  }
  return 2.0 * kChains * kSteps * ml::Lanes<T>::kCount / best / 1e9;
}

}  // namespace

double fma_peak_f32(double seconds) { return peak<float>(seconds); }
double fma_peak_f64(double seconds) { return peak<double>(seconds); }

}  // namespace gradmill::bench
