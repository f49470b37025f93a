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

/// The jobs by id: the line of those that run or wait, those that are paused, and those that have
/// ended. A single-threaded value that knows no rules of scheduling. Pointers to jobs last until
/// the job is removed.
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
  /// The oldest job of the line.
  [[nodiscard]] const Job* first() const { return line_.empty() ? nullptr : find(line_.front()); }
  [[nodiscard]] Job* first() { return line_.empty() ? nullptr : find(line_.front()); }
  /// The job that runs, if one does: the first of the line once it has been started.
  [[nodiscard]] const Job* running() const {
    const Job* const job = first();
    return job != nullptr && runs(*job) ? job : nullptr;
  }
  [[nodiscard]] Job* running() {
    Job* const job = first();
    return job != nullptr && runs(*job) ? job : nullptr;
  }
  /// Jobs in the line before `id`; 0 if it is not in it.
  [[nodiscard]] std::size_t ahead(const std::string& id) const {
    const auto place = std::find(line_.begin(), line_.end(), id);
    return place == line_.end() ? 0 : static_cast<std::size_t>(place - line_.begin());
  }
  /// Ids of the jobs of the line, oldest first.
  [[nodiscard]] std::vector<std::string> live() const { return {line_.begin(), line_.end()}; }
  /// Ids of the jobs that have ended, the one that ended first at the front.
  [[nodiscard]] const std::deque<std::string>& ended() const { return ended_; }
  /// Ids of all jobs, in order of submission.
  [[nodiscard]] const std::vector<std::string>& all() const { return all_; }

  /// Adds a new job where its state belongs: at the end of the line, paused, or ended.
  void add(Job&& job) {
    const std::string id = job.id;
    all_.push_back(id);
    place(id, job.state);
    const bool is_new = jobs_.try_emplace(id, std::move(job)).second;
    GRADMILL_CHECK(is_new);
  }
  /// Gives the job its new state and the place that belongs to it. Jobs that move up in the line
  /// get a new version, since their followers shall see it.
  void move(Job& job, JobState state) {
    const auto in_line = std::find(line_.begin(), line_.end(), job.id);
    if (in_line != line_.end()) {
      for (auto behind = in_line + 1; behind != line_.end(); ++behind) {
        ++jobs_.at(*behind).version;
      }
      line_.erase(in_line);
    }
    job.state = state;
    ++job.version;
    place(job.id, state);
  }
  /// Forgets a job that has ended.
  void remove(const std::string& id) {
    const auto place = std::find(ended_.begin(), ended_.end(), id);
    GRADMILL_CHECK(place != ended_.end());
    ended_.erase(place);
    all_.erase(std::find(all_.begin(), all_.end(), id));
    jobs_.erase(id);
  }

  /// Aborts unless the line, the ended jobs and their states agree.
  void check_invariants() const {
    GRADMILL_CHECK(jobs_.size() == all_.size());
    for (const std::string& id : line_) {
      const Job& job = jobs_.at(id);
      GRADMILL_CHECK(runs(job) || (job.state == JobState::kPending && !job.round));
      GRADMILL_CHECK(!runs(job) || id == line_.front());
    }
    for (const std::string& id : ended_) {
      GRADMILL_CHECK(has_ended(jobs_.at(id).state) && !jobs_.at(id).round);
    }
  }

 private:
  [[nodiscard]] static bool runs(const Job& job) {
    return job.state == JobState::kRunning || job.state == JobState::kRecovering;
  }
  void place(const std::string& id, JobState state) {
    if (has_ended(state)) {
      ended_.push_back(id);
    } else if (state != JobState::kPaused) {
      line_.push_back(id);
    }
  }

  std::map<std::string, Job> jobs_;
  std::vector<std::string> all_;
  std::deque<std::string> line_;
  std::deque<std::string> ended_;
};

}  // namespace gradmill::coordinator
