#include "coordinator/service/statistics/job_recorders.h"

namespace gradmill::coordinator {

void JobRecorders::add(const std::string& job, const QueryTiming& timing, TimePoint now) {
  running_[job].add(timing, now);
}

const QueryStatistics& JobRecorders::end(const std::string& job, TimePoint now) {
  QueryStatistics last = statistics(job, now).value_or(QueryStatistics{});
  last.queries_per_second = 0;
  last.rows_per_second = 0;
  running_.erase(job);
  return ended_[job] = last;
}

void JobRecorders::restore(const std::string& job, const QueryStatistics& statistics) {
  ended_[job] = statistics;
}

void JobRecorders::forget(const std::string& job) {
  running_.erase(job);
  ended_.erase(job);
}

std::optional<QueryStatistics> JobRecorders::statistics(const std::string& job,
                                                        TimePoint now) const {
  if (const auto ended = ended_.find(job); ended != ended_.end()) {
    return ended->second;
  }
  const auto running = running_.find(job);
  return running == running_.end() ? std::nullopt : std::optional(running->second.statistics(now));
}

}  // namespace gradmill::coordinator
