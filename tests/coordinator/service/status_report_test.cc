// Which ended jobs a rule lets go, when the clock on the wall is not what it was.
#include "coordinator/service/status_report.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kBefore = 1'000 * kHourMs;  ///< When the last start ended its jobs.

StoredJob job_of(const std::string& id, JobState state, std::int64_t ended_ms) {
  StoredJob job;
  auto specification = std::make_shared<JobSpecification>();
  specification->rule.topology.units = {2, 2};
  specification->rounds = 5;
  specification->shards.push_back(make_blob("shard").ref);
  job.job = id;
  job.specification = specification;
  job.shard_rows = {10};
  job.state = state;
  job.ended_ms = ended_ms;
  job.checkpoint.weights = make_blob("weights");
  job.checkpoint.server = std::make_shared<const ml::ServerState>();
  return job;
}

/// A start on two jobs that ended, one two hours before the other, and one that goes on.
Scheduler started_at(std::int64_t wall_ms, const Retention& rule) {
  Scheduler scheduler({.retention = rule, .wall_ms = wall_ms}, make_policy("random", 1));
  static_cast<void>(scheduler.restore({job_of("old", JobState::kSucceeded, kBefore - 2 * kHourMs),
                                       job_of("new", JobState::kFailed, kBefore),
                                       job_of("running", JobState::kPending, 0)},
                                      {},
                                      TimePoint{}));
  return scheduler;
}

TEST(ExpiredJobs, AreOlderThanTheRuleByTheClockOnTheWall) {
  const Retention rule{.jobs = 0, .age = 1h};
  EXPECT_THAT(expired_jobs(started_at(kBefore, rule), rule, TimePoint{}), ElementsAre("old"));
  EXPECT_THAT(expired_jobs(started_at(kBefore + 30 * kHourMs, rule), rule, TimePoint{}),
              ElementsAre("old", "new"))
      << "set forward, all that ended is old; what runs never is";
}

TEST(ExpiredJobs, AreNoneThatEndedInTheFuture) {
  const Retention rule{.jobs = 0, .age = 1h};
  for (const std::int64_t back : {kHourMs, 100 * kHourMs, kBefore}) {
    const Scheduler scheduler = started_at(kBefore - back - 2 * kHourMs, rule);
    EXPECT_THAT(expired_jobs(scheduler, rule, TimePoint{}), IsEmpty()) << back;
  }
}

TEST(ExpiredJobs, WithoutAnAgeDependOnNoClock) {
  const Retention rule{.jobs = 1};
  for (const std::int64_t wall_ms : {std::int64_t{0}, kBefore, 2 * kBefore}) {
    const Scheduler scheduler = started_at(wall_ms, rule);
    EXPECT_THAT(expired_jobs(scheduler, rule, TimePoint{}), ElementsAre("old")) << wall_ms;
  }
}

TEST(OldJobs, AreForgottenAsAlwaysAfterTheClockWasSetBack) {
  Scheduler scheduler = started_at(0, Retention{.jobs = 1});
  const Actions ended =
      scheduler.end("running", JobState::kFailed, {"internal", "why"}, TimePoint{} + 1s);
  for (const Action& action : ended) {
    if (const auto* const save = std::get_if<Save>(&action)) {
      static_cast<void>(scheduler.saved(save->ticket, TimePoint{} + 1s));
    }
  }
  EXPECT_THAT(scheduler.jobs(), ElementsAre("running"))
      << "the others ended in the future, and would stay for years";
}

}  // namespace
}  // namespace gradmill::coordinator
