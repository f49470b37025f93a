// What is remembered of queries: no more of a million than of one.
#pragma once

#include <cstdint>

#include "coordinator/core/nodes/node_registry.h"
#include "coordinator/service/statistics/duration_sketch.h"
#include "coordinator/service/statistics/rate_window.h"
#include "protocol/query_statistics.h"

namespace gradmill::coordinator {

/// A query that was answered.
struct QueryTiming {
  Duration queue{};    ///< From when it could go to a node until it went.
  Duration compute{};  ///< As the node measured it.
  Duration total{};    ///< From when it could go to a node to the answer.
  std::uint64_t rows = 0;
};

/// A single-threaded value; the time comes in as an argument.
class QueryRecorder {
 public:
  /// The query was answered at `now`.
  void add(const QueryTiming& timing, TimePoint now);
  [[nodiscard]] QueryStatistics statistics(TimePoint now) const;

 private:
  std::uint64_t queries_ = 0;
  std::uint64_t rows_ = 0;
  TimePoint begun_{};  // when the first one came
  TimePoint ended_{};  // of the last answer
  RateWindow recent_queries_;
  RateWindow recent_rows_;
  DurationSketch queue_;
  DurationSketch compute_;
  DurationSketch total_;
};

}  // namespace gradmill::coordinator
