// The coordinator's jobs, in order of arrival.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "coordinator/core/job.h"

namespace gradmill::coordinator {

/// The jobs by id, the line of those that have not ended, and those that have. A single-threaded
/// value that knows no rules of scheduling. Pointers to jobs last until the job is forgotten.
class JobTable {
 public:
  [[nodiscard]] const Job* find(const std::string& id) const {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] Job* find(const std::string& id) {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : &found->second;
  }
  /// The oldest job that has not ended.
  [[nodiscard]] const Job* first() const { return line_.empty() ? nullptr : find(line_.front()); }
  [[nodiscard]] Job* first() { return line_.empty() ? nullptr : find(line_.front()); }
  /// The job that runs, if one does: the first of the line once it has been started.
  [[nodiscard]] const Job* running() const {
    const Job* const job = first();
    return job != nullptr && job->state == JobState::kRunning ? job : nullptr;
  }
  [[nodiscard]] Job* running() {
    Job* const job = first();
    return job != nullptr && job->state == JobState::kRunning ? job : nullptr;
  }
  /// Jobs in the line before `id`; 0 if it has ended.
  [[nodiscard]] std::size_t ahead(const std::string& id) const {
    const auto place = std::find(line_.begin(), line_.end(), id);
    return place == line_.end() ? 0 : static_cast<std::size_t>(place - line_.begin());
  }
  /// Ids of the jobs that have not ended, oldest first.
  [[nodiscard]] std::vector<std::string> live() const { return {line_.begin(), line_.end()}; }

  /// Puts a new job at the end of the line.
  void add(Job&& job) {
    line_.push_back(job.id);
    const bool is_new = jobs_.try_emplace(line_.back(), std::move(job)).second;
    GRADMILL_CHECK(is_new);
  }
  /// Takes the job out of the line; those behind it move up, which their followers shall see.
  void leave_line(const std::string& id) {
    const auto place = std::find(line_.begin(), line_.end(), id);
    GRADMILL_CHECK(place != line_.end());
    for (auto behind = place + 1; behind != line_.end(); ++behind) {
      ++jobs_.at(*behind).version;
    }
    ended_.push_back(id);
    line_.erase(place);
  }
  /// Forgets the jobs that ended first until `kept` are left, or one that `is_needed`.
  template <class Predicate>
  void forget(std::size_t kept, const Predicate& is_needed) {
    while (ended_.size() > kept && !is_needed(ended_.front())) {
      jobs_.erase(ended_.front());
      ended_.pop_front();
    }
  }

  /// Aborts unless the line, the ended jobs and their states agree.
  void check_invariants() const {
    GRADMILL_CHECK(jobs_.size() == line_.size() + ended_.size());
    for (const std::string& id : line_) {
      const Job& job = jobs_.at(id);
      GRADMILL_CHECK(!has_ended(job.state));
      GRADMILL_CHECK(job.state == JobState::kRunning || !job.round);
      GRADMILL_CHECK(job.state != JobState::kRunning || id == line_.front());
    }
    for (const std::string& id : ended_) {
      GRADMILL_CHECK(has_ended(jobs_.at(id).state) && !jobs_.at(id).round.has_value());
    }
  }

 private:
  std::map<std::string, Job> jobs_;
  std::deque<std::string> line_;   // jobs that have not ended, oldest first
  std::deque<std::string> ended_;  // the one that ended first at the front
};

}  // namespace gradmill::coordinator
