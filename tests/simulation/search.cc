#include "simulation/search.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>

#include "simulation/history.h"

namespace gradmill::simulation {
namespace {

constexpr unsigned kProcessesMax = 64;
// A history takes a millisecond; the core loops for ever if one takes this long.
constexpr unsigned kHistorySeconds = 20;
constexpr std::uint64_t kNone = ~std::uint64_t{0};

/// What the processes share.
struct Shared {
  std::atomic<std::uint64_t> failing_seed = kNone;
  std::array<Counts, kProcessesMax> counts;
};

void note_failure(Shared& shared, std::uint64_t seed) {
  std::uint64_t lowest = shared.failing_seed;
  while (seed < lowest && !shared.failing_seed.compare_exchange_weak(lowest, seed)) {
  }
}

// For signal handlers.
Shared* shared_of_process = nullptr;
std::atomic<std::uint64_t> current_seed;

void on_death(int signal) {
  if (shared_of_process != nullptr) {
    note_failure(*shared_of_process, current_seed);
    ::_exit(1);
  }
  std::array<char, 128> line{};
  const char* const invariant = signal == SIGALRM ? "core_terminates" : "core_check";
  const int length = std::snprintf(line.data(),
                                   line.size(),
                                   "invariant %s violated by the core itself (seed %llu)\n",
                                   invariant,
                                   static_cast<unsigned long long>(current_seed));
  static_cast<void>(::write(STDOUT_FILENO, line.data(), static_cast<std::size_t>(length)));
  ::_exit(1);
}

void catch_deaths() {
  for (const int signal : {SIGABRT, SIGSEGV, SIGALRM, SIGFPE}) {
    static_cast<void>(std::signal(signal, on_death));
  }
}

[[noreturn]] void work(Shared& shared,
                       std::uint64_t first_seed,
                       std::uint64_t end,
                       unsigned process,
                       unsigned processes) {
  shared_of_process = &shared;
  catch_deaths();
  // The failing history is replayed, and speaks then.
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  static_cast<void>(::dup2(nowhere, STDERR_FILENO));
  Counts counts;
  for (std::uint64_t seed = first_seed + process; seed < end && seed < shared.failing_seed;
       seed += processes) {
    current_seed = seed;
    static_cast<void>(::alarm(kHistorySeconds));
    try {
      History history(seed, false);
      history.run();
      counts.add(history.counts());
    } catch (const std::exception&) {
      note_failure(shared, seed);
    }
  }
  shared.counts.at(process) = counts;
  ::_exit(0);
}

}  // namespace

SearchResult search(std::uint64_t first_seed, std::uint64_t histories, unsigned processes) {
  const auto start = std::chrono::steady_clock::now();
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::runtime_error("no memory to share with processes");
  }
  Shared& shared = *new (memory) Shared;
  std::vector<pid_t> children;
  for (unsigned process = 0; process < processes; ++process) {
    const pid_t child = ::fork();
    if (child == 0) {
      work(shared, first_seed, first_seed + histories, process, processes);
    }
    if (child < 0) {
      throw std::runtime_error("cannot start processes");
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    static_cast<void>(::waitpid(child, nullptr, 0));
  }
  SearchResult result;
  for (const Counts& counts : shared.counts) {
    result.counts.add(counts);
  }
  if (shared.failing_seed != kNone) {
    result.failing_seed = shared.failing_seed;
  }
  static_cast<void>(::munmap(memory, sizeof(Shared)));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

bool replay(std::uint64_t seed, bool logging) {
  static_cast<void>(std::fflush(nullptr));
  const pid_t child = ::fork();
  if (child == 0) {
    current_seed = seed;
    static_cast<void>(std::setvbuf(stdout, nullptr, _IOLBF, 0));
    catch_deaths();
    static_cast<void>(::alarm(kHistorySeconds));
    try {
      History history(seed, logging);
      history.run();
    } catch (const std::exception& error) {
      std::printf("%s (seed %llu)\n", error.what(), static_cast<unsigned long long>(seed));
      static_cast<void>(std::fflush(stdout));
      ::_exit(1);
    }
    static_cast<void>(std::fflush(stdout));
    ::_exit(0);
  }
  int status = 1;
  static_cast<void>(::waitpid(child, &status, 0));
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace gradmill::simulation
