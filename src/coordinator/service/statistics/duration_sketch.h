// The distribution of durations in bounded memory.
#pragma once

#include <chrono>
#include <memory>

#include "protocol/query_statistics.h"

namespace gradmill::coordinator {

/// Counts durations in cells of 2 % width from 10 ns to 100,000 s, so that a quantile is off by no
/// more than that; those outside are taken for the shortest and the longest one seen. Some 12 kB at
/// most, however many there are. A single-threaded value that cannot be copied.
class DurationSketch {
 public:
  DurationSketch();
  DurationSketch(DurationSketch&& other) noexcept;
  DurationSketch& operator=(DurationSketch&& other) noexcept;
  ~DurationSketch();

  /// Negative ones count as 0.
  void add(std::chrono::nanoseconds duration);
  /// All zero if there are none.
  [[nodiscard]] DurationStatistics statistics() const;

 private:
  struct Cells;
  std::unique_ptr<Cells> cells_;
};

}  // namespace gradmill::coordinator
