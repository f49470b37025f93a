// The clock of a run.
#pragma once

#include <chrono>

#include "chaos/measures.h"

namespace gradmill::chaos {

/// Seconds since it was made, on the system's clock: the coordinator's log has no other.
class RunClock {
 public:
  RunClock() : start_(since_1970()) {}

  [[nodiscard]] Seconds now() const { return since_1970() - start_; }
  /// Seconds since 1970.
  [[nodiscard]] double start() const { return start_; }

 private:
  static double since_1970() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  double start_;
};

}  // namespace gradmill::chaos
