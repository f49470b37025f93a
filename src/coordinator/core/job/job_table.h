// The coordinator's jobs: those that run, the line of those that wait, and the others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "coordinator/core/job/job.h"

namespace gradmill::coordinator {

/// The jobs by id: those that run, the line of those that wait, by priority and then by arrival,
/// those that are paused, and those that have ended. A single-threaded value that knows no other
/// rules of scheduling. Pointers to jobs last until the job is removed.
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
  /// The jobs that run, in order of arrival.
  [[nodiscard]] const std::map<JobNumber, Job*>& running() const { return running_; }
  /// The job, if it runs.
  [[nodiscard]] const Job* running(const std::string& id) const {
    const Job* const job = find(id);
    return job != nullptr && runs(*job) ? job : nullptr;
  }
  [[nodiscard]] Job* running(const std::string& id) {
    Job* const job = find(id);
    return job != nullptr && runs(*job) ? job : nullptr;
  }
  /// The line of those that wait, the next one at the front.
  [[nodiscard]] const std::deque<Job*>& line() const { return line_; }
  /// Jobs that run or wait before `job`, if it waits; else 0.
  [[nodiscard]] std::size_t ahead(const Job& job) const {
    const auto place = std::find(line_.begin(), line_.end(), &job);
    return place == line_.end() ? 0
                                : running_.size() + static_cast<std::size_t>(place - line_.begin());
  }
  /// Ids of the jobs that run, and then of those that wait.
  [[nodiscard]] std::vector<std::string> live() const {
    std::vector<std::string> ids;
    ids.reserve(running_.size() + line_.size());
    for (const auto& [number, job] : running_) {
      ids.push_back(job->id);
    }
    for (const Job* const job : line_) {
      ids.push_back(job->id);
    }
    return ids;
  }
  /// Ids of the jobs that have ended, the one that ended first at the front.
  [[nodiscard]] const std::deque<std::string>& ended() const { return ended_; }
  /// Ids of all jobs, in order of submission.
  [[nodiscard]] const std::vector<std::string>& all() const { return all_; }

  /// Adds a new job where its state belongs: in the line, paused, or ended.
  void add(Job&& job) {
    const std::string id = job.id;
    all_.push_back(id);
    job.number = ++last_number_;
    const auto [added, is_new] = jobs_.try_emplace(id, std::move(job));
    GRADMILL_CHECK(is_new);
    place(added->second);
  }
  /// The job, which waits, runs.
  void start(Job& job, JobState state) {
    line_.erase(std::find(line_.begin(), line_.end(), &job));
    job.state = state;
    ++job.version;
    running_.emplace(job.number, &job);
  }
  /// Gives the job its new state and the place that belongs to it. Jobs that move up or down in the
  /// line get a new version, since their followers shall see it.
  void move(Job& job, JobState state) {
    const bool ran = running_.erase(job.number) == 1;
    const auto in_line = std::find(line_.begin(), line_.end(), &job);
    tell_behind(ran ? line_.begin() : in_line);
    if (in_line != line_.end()) {
      line_.erase(in_line);
    }
    job.state = state;
    ++job.version;
    place(job);
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
    for (const auto& [number, job] : running_) {
      GRADMILL_CHECK(runs(*job) && job->number == number);
    }
    for (const Job* const job : line_) {
      GRADMILL_CHECK(job->state == JobState::kPending && !job->round);
    }
    GRADMILL_CHECK(std::is_sorted(line_.begin(), line_.end(), comes_first));
    for (const std::string& id : ended_) {
      GRADMILL_CHECK(has_ended(jobs_.at(id).state) && !jobs_.at(id).round);
    }
  }

 private:
  [[nodiscard]] static bool runs(const Job& job) {
    return job.state == JobState::kRunning || job.state == JobState::kRecovering;
  }
  [[nodiscard]] static bool comes_first(const Job* one, const Job* two) {
    return one->share.priority != two->share.priority ? one->share.priority > two->share.priority
                                                      : one->place < two->place;
  }
  void tell_behind(std::deque<Job*>::iterator first) {
    for (; first != line_.end(); ++first) {
      ++(*first)->version;
    }
  }
  void place(Job& job) {
    if (has_ended(job.state)) {
      ended_.push_back(job.id);
    } else if (job.state != JobState::kPaused) {
      GRADMILL_CHECK(job.state == JobState::kPending);
      job.place = ++last_place_;
      const auto before = std::upper_bound(line_.begin(), line_.end(), &job, comes_first);
      tell_behind(line_.insert(before, &job) + 1);
    }
  }

  std::map<std::string, Job> jobs_;
  std::vector<std::string> all_;
  std::map<JobNumber, Job*> running_;
  std::deque<Job*> line_;
  std::deque<std::string> ended_;
  JobNumber last_number_ = 0;
  std::uint64_t last_place_ = 0;
};

}  // namespace gradmill::coordinator
