// What random lives of the scheduler are made of. A failure prints the seed.
#pragma once

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "coordinator/core/policy/uniform_index.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t kSeeds = 100;
#else
inline constexpr std::uint64_t kSeeds = 2000;
#endif

inline constexpr std::array<const char*, 3> kPolicies = {"random", "load-balancing", "round-robin"};

inline std::array<char, 64> seed_note{};

/// Names the seed on stderr also when a broken invariant aborts the test.
class SeedNote {
 public:
  explicit SeedNote(std::uint64_t seed) {
    static_cast<void>(std::snprintf(
        seed_note.data(), seed_note.size(), "seed %llu\n", static_cast<unsigned long long>(seed)));
    previous_ = std::signal(SIGABRT, [](int) {
      static_cast<void>(::write(STDERR_FILENO, seed_note.data(), seed_note.size()));
    });
  }
  SeedNote(const SeedNote&) = delete;
  SeedNote& operator=(const SeedNote&) = delete;
  ~SeedNote() { static_cast<void>(std::signal(SIGABRT, previous_)); }

 private:
  void (*previous_)(int) = nullptr;
};

/// Numbers from the seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : generator_(seed) {}
  std::size_t below(std::size_t size) { return uniform_index(generator_, size); }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(below(high - low + 1));
  }
  bool chance(unsigned percent) { return below(100) < percent; }
  Duration up_to(Duration longest) {
    return Duration(static_cast<Duration::rep>(below(static_cast<std::size_t>(longest.count()))));
  }

 private:
  std::mt19937_64 generator_;
};

/// Errors of four rounds, some of them equal.
inline std::vector<double> random_errors(Dice& dice) {
  std::vector<double> errors;
  for (int round = 0; round < 4; ++round) {
    errors.push_back(0.25 * static_cast<double>(dice.below(4)));
  }
  return errors;
}

}  // namespace gradmill::coordinator
