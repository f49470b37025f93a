// The one place that starts threads for arithmetic.
#pragma once

#include <cstddef>
#include <exception>
#include <mutex>

#include "ml/flush_subnormals.h"

namespace gradmill::ml {

/// Calls f(i, worker) for each i in [0, count), on at most `threads` threads; worker is in
/// [0, threads), and no two calls with one worker overlap. Which worker gets which i does not
/// depend on timing. Subnormal numbers count as zero in f. What f throws is thrown here, once all
/// workers have ended; of two exceptions, one. Without OpenMP it runs serially.
template <class F>
void parallel_for(std::size_t count, int threads, const F& f) {
  if (threads <= 1 || count <= 1) {
    const FlushSubnormals flush;
    for (std::size_t i = 0; i < count; ++i) {
      f(i, 0);
    }
    return;
  }
  std::exception_ptr failure;  // An exception must not leave the thread that it was thrown in.
  std::mutex mutex;
#ifdef _OPENMP  // Elsewhere the pragma is unknown, which is a warning.
#pragma omp parallel for schedule(static, 1) num_threads(threads)
#endif
  for (int worker = 0; worker < threads; ++worker) {
    const FlushSubnormals flush;
    try {
      for (auto i = static_cast<std::size_t>(worker); i < count;
           i += static_cast<std::size_t>(threads)) {
        f(i, worker);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

/// Starts the threads that parallel_for() uses when this thread calls it, which then stay: OpenMP
/// ends the process when it lacks one, so a server finds out before it has anything to lose. Throws
/// std::system_error. Thread-safe.
void start_workers(int threads);

}  // namespace gradmill::ml
