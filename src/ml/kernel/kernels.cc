#include "ml/kernel/kernels.h"

#include <array>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace gradmill::ml {

// One each of kernel_table.cc, compiled for that set.
#ifdef GRADMILL_X86_64
namespace isa_baseline {
const Kernels& all();
}
namespace isa_avx2 {
const Kernels& all();
}
namespace isa_avx512 {
const Kernels& all();
}
#else
namespace isa_native {
const Kernels& all();
}
#endif

namespace {

#ifdef GRADMILL_X86_64
// x86-64-v3 and -v4 by the features that came last; compilers do not all know the levels' names.
bool has_avx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
         __builtin_cpu_supports("bmi2") != 0;
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") != 0 &&
         __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512cd") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}
#endif

std::vector<const Kernels*> found_kernels() {
#ifdef GRADMILL_X86_64
  std::vector<const Kernels*> found = {&isa_baseline::all()};
  if (has_avx2()) {
    found.push_back(&isa_avx2::all());
  }
  if (has_avx512()) {
    found.push_back(&isa_avx512::all());
  }
  return found;
#else
  return {&isa_native::all()};
#endif
}

const Kernels& chosen_kernels() {
  const char* const wanted = std::getenv("GRADMILL_KERNEL");  // NOLINT(concurrency-mt-unsafe)
  for (const Kernels* const set : runnable_kernels()) {
    if (wanted != nullptr && std::string_view(set->name) == wanted) {
      return *set;
    }
  }
  return *runnable_kernels().back();
}

}  // namespace

std::span<const Kernels* const> runnable_kernels() {
  static const std::vector<const Kernels*> found = found_kernels();
  return found;
}

const Kernels& kernels() {
  static const Kernels& chosen = chosen_kernels();
  return chosen;
}

const char* kernel_id() { return "lanes64-2"; }

}  // namespace gradmill::ml
