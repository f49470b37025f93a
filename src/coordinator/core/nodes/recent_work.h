// Which jobs a node worked for lately.
#pragma once

#include <chrono>
#include <cmath>
#include <map>
#include <optional>

#include "coordinator/core/task.h"

namespace gradmill::coordinator {

/// A node's slot time by job; what is older counts less, half of it after two seconds. A
/// single-threaded value.
class RecentWork {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A slot was used for the job, `seconds` long until `now`.
  void add(JobNumber job, double seconds, TimePoint now) {
    const double age = std::chrono::duration<double>(now - at_).count();
    const double fading = std::exp2(-age / kHalfLifeSeconds);
    for (auto& [other, of_other] : seconds_) {
      of_other *= fading;
    }
    std::erase_if(seconds_, [](const auto& one) { return one.second < kForgottenSeconds; });
    seconds_[job] += seconds;
    at_ = now;
  }
  /// The job's share, from 0 to 1; nothing if there was no work.
  [[nodiscard]] std::optional<double> share(JobNumber job) const {
    double all = 0;
    for (const auto& [other, seconds] : seconds_) {
      all += seconds;
    }
    const auto own = seconds_.find(job);
    return all > 0 ? std::optional(own == seconds_.end() ? 0 : own->second / all) : std::nullopt;
  }

 private:
  static constexpr double kHalfLifeSeconds = 2;
  static constexpr double kForgottenSeconds = 1e-6;

  std::map<JobNumber, double> seconds_;  // as of at_
  TimePoint at_{};
};

}  // namespace gradmill::coordinator
