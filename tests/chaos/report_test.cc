// What a run is judged by, with records that are made up.
#include "chaos/report.h"

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradmill::chaos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

JobRun job_with(Outcome outcome, const std::string& why = "") {
  return {.id = "chaos-1",
          .kind = "sgd",
          .outcome = outcome,
          .why = why,
          .began = 1,
          .ended = 2,
          .clients = 1};
}

/// A run in which all is well.
Record good() {
  Record record;
  record.jobs = {job_with(Outcome::kSame)};
  record.base = {{.place = Place::kSparedNode, .descriptors = 11, .threads = 6},
                 {.place = Place::kCoordinator, .descriptors = 30, .threads = 14}};
  record.after = record.base;
  return record;
}

/// What people read of it, once it is sure that its exit code says the same.
std::string judged(const Record& record) {
  const Report report = make_report(record);
  std::ostringstream text;
  print(report, text);
  EXPECT_EQ(exit_code_of(report), text.str().find("violated: ") == std::string::npos ? 0 : 1);
  EXPECT_EQ(report.violations.empty(), text.str().find("all is well") != std::string::npos);
  EXPECT_EQ(to_json(report).at("violations").size(), report.violations.size());
  return text.str();
}

TEST(ChaosReport, OfAGoodRunHasNoViolation) {
  EXPECT_THAT(make_report(good()).violations, IsEmpty());
  EXPECT_THAT(judged(good()), HasSubstr("wrong results 0, unexpectedly failed 0, not ended 0"));
}

TEST(ChaosReport, EachJobThatDidNotEndRightIsAViolation) {
  Record record = good();
  record.jobs.push_back(job_with(Outcome::kWrong, "another hash"));
  const std::string wrong = judged(record);
  EXPECT_THAT(wrong, HasSubstr("violated: job chaos-1 (sgd, from second 1.0 to 2.0)"));
  EXPECT_THAT(wrong, HasSubstr("has a wrong result: another hash"));
  EXPECT_THAT(wrong, HasSubstr("wrong results 1, unexpectedly failed 0, not ended 0"));
  record = good();
  record.jobs.push_back(job_with(Outcome::kFailed, "no capacity"));
  EXPECT_THAT(judged(record), HasSubstr("failed: no capacity"));
  EXPECT_EQ(make_report(record).failed, 1U);
  record = good();
  record.jobs.push_back(job_with(Outcome::kUnended, "still running"));
  EXPECT_THAT(judged(record), HasSubstr("has not ended: still running"));
  EXPECT_EQ(make_report(record).unended, 1U);
}

TEST(ChaosReport, ARunWithoutJobsShowsNothing) {
  Record record = good();
  record.jobs.clear();
  EXPECT_THAT(make_report(record).violations, ElementsAre("no job was run"));
  EXPECT_THAT(judged(record), HasSubstr("violated: no job was run"));
}

TEST(ChaosReport, DescriptorsAndThreadsComeBackButForTwo) {
  for (const auto member : {&ResourceSample::descriptors, &ResourceSample::threads}) {
    Record record = good();
    record.after[0].*member += 2;
    EXPECT_THAT(make_report(record).violations, IsEmpty());
    record.after[0].*member += 1;
    EXPECT_THAT(judged(record), HasSubstr("did not come back to where they were"));
  }
  Record gone = good();
  gone.after.pop_back();
  EXPECT_THAT(judged(gone), HasSubstr("did not come back to where they were"));
}

/// Ten minutes of a process: it fills what it keeps for one, and then grows by so many MiB a
/// minute.
Record growing(double slope, Place place = Place::kSparedNode) {
  Record record = good();
  for (int second = 0; second <= 600; ++second) {
    const double filled = 30 + std::min(second, 60) * 25 / 60.0;
    const double mebibytes = filled + slope * std::max(second - 60, 0) / 60;
    record.resources.push_back({.at = static_cast<double>(second),
                                .place = place,
                                .pid = 1,
                                .memory_bytes = static_cast<std::uint64_t>(mebibytes * (1 << 20))});
  }
  return record;
}

TEST(ChaosReport, MemoryThatGrowsOnAfterTheFirstMinuteIsAViolation) {
  EXPECT_THAT(make_report(growing(0)).violations, IsEmpty());
  EXPECT_THAT(make_report(growing(2.9)).violations, IsEmpty());
  EXPECT_THAT(judged(growing(5)),
              HasSubstr("violated: the memory of spared-node grows by 5.00 MiB a minute"));
}

TEST(ChaosReport, MemoryOfShortLivesIsShownAndNotJudged) {
  Record record = growing(50);
  record.resources.resize(360);
  const Report report = make_report(record);
  EXPECT_THAT(report.violations, IsEmpty());
  EXPECT_FALSE(report.processes[0].memory_slope);
  EXPECT_NEAR(report.processes[0].memory_max, 30 + 25 + 50 * 299 / 60.0, 0.1);
  EXPECT_THAT(make_report(growing(50, Place::kCoordinator)).violations, IsEmpty());
}

}  // namespace
}  // namespace gradmill::chaos
