#include "coordinator/service/statistics/query_recorder.h"

#include <algorithm>
#include <chrono>

namespace gradmill::coordinator {

void QueryRecorder::add(const QueryTiming& timing, TimePoint now) {
  const TimePoint came = now - timing.total;
  begun_ = queries_ == 0 ? came : std::min(begun_, came);
  ended_ = std::max(ended_, now);
  ++queries_;
  rows_ += timing.rows;
  recent_queries_.add(now, 1);
  recent_rows_.add(now, timing.rows);
  queue_.add(timing.queue);
  compute_.add(timing.compute);
  total_.add(timing.total);
}

QueryStatistics QueryRecorder::statistics(TimePoint now) const {
  return {.queries = queries_,
          .rows = rows_,
          .seconds = std::chrono::duration<double>(ended_ - begun_).count(),
          .queries_per_second = recent_queries_.per_second(now, begun_),
          .rows_per_second = recent_rows_.per_second(now, begun_),
          .queue = queue_.statistics(),
          .compute = compute_.statistics(),
          .total = total_.statistics()};
}

}  // namespace gradmill::coordinator
