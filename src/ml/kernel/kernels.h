// The kernels that this process runs.
#pragma once

#include <span>

#include "ml/kernel/kernel_table.h"

namespace gradmill::ml {

/// The kernels for the best instruction set that the processor has; all give the same bits. The
/// environment variable GRADMILL_KERNEL names another one of the build, if the processor has it.
/// Chosen at the first call; thread-safe.
[[nodiscard]] const Kernels& kernels();

/// Every set of kernels in this build that the processor can run, the plainest first.
[[nodiscard]] std::span<const Kernels* const> runnable_kernels();

/// Names the arithmetic of this release's kernels: equal ids give equal bits.
[[nodiscard]] const char* kernel_id();

}  // namespace gradmill::ml
