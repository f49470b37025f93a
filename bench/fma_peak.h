// The limit: fused multiply-adds of one core.
#pragma once

namespace gradmill::bench {

/// GFLOP/s of independent chains of fused multiply-adds in registers, in the widest vectors that
/// this machine has: the best of short trials over `seconds`.
[[nodiscard]] double fma_peak_f32(double seconds);
[[nodiscard]] double fma_peak_f64(double seconds);

}  // namespace gradmill::bench
