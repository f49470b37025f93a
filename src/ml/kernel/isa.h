// Instruction sets that the kernels are compiled for.
#pragma once

#include <cstddef>

// The namespace of the kernels of one instruction set; the build sets it for each.
#ifndef GRADMILL_ISA
#define GRADMILL_ISA isa_native
#endif

namespace gradmill::ml {

/// Vectors of the kernels are this long whatever the processor's registers are.
inline constexpr std::size_t kLaneBytes = 64;

}  // namespace gradmill::ml
