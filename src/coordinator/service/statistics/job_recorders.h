// What is remembered of the tasks of each job.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "coordinator/service/statistics/query_recorder.h"
#include "protocol/query_statistics.h"

namespace gradmill::coordinator {

/// A single-threaded value; the coordinator's lock guards it.
class JobRecorders {
 public:
  /// A task of the job, which has not ended, was done.
  void add(const std::string& job, const QueryTiming& timing, TimePoint now);
  /// The job has ended: what is known of it is final, and small from now on.
  const QueryStatistics& end(const std::string& job, TimePoint now);
  /// It had ended before the coordinator's start.
  void restore(const std::string& job, const QueryStatistics& statistics);
  void forget(const std::string& job);
  /// None if nothing is known of the job.
  [[nodiscard]] std::optional<QueryStatistics> statistics(const std::string& job,
                                                          TimePoint now) const;

 private:
  std::map<std::string, QueryRecorder> running_;
  std::map<std::string, QueryStatistics> ended_;
};

}  // namespace gradmill::coordinator
