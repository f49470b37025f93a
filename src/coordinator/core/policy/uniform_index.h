// An unbiased index, the same with every standard library.
#pragma once

#include <cstdint>
#include <random>

namespace gradmill::coordinator {

/// Uniform in [0, size), size >= 1, by rejection.
[[nodiscard]] inline std::size_t uniform_index(std::mt19937_64& generator, std::size_t size) {
  const std::uint64_t limit = std::mt19937_64::max() - std::mt19937_64::max() % size;
  std::uint64_t value = generator();
  while (value >= limit) {
    value = generator();
  }
  return static_cast<std::size_t>(value % size);
}

}  // namespace gradmill::coordinator
