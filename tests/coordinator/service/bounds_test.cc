// What one answer, one node and the membership may have at most.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/service/node_session.h"
#include "coordinator/service/service_fixture.h"
#include "coordinator/service/status_report.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

/// A coordinator of what is stored, whose nodes cannot be asked, which costs no threads.
class Bounds : public testing::Test {
 protected:
  Bounds() { spdlog::set_level(spdlog::level::off); }

  void start(const std::vector<Address>& nodes, StoredState state) {
    coordinator_ = std::make_unique<Coordinator>(
        CoordinatorOptions{},
        make_policy("random", 1),
        nodes,
        [](const Address&) -> std::unique_ptr<NodeLink> { throw std::bad_alloc(); },
        store_,
        std::move(state));
    coordinator_->start();
  }
  static StoredJob ended_job(const std::string& id) {
    StoredJob job;
    auto specification = std::make_shared<JobSpecification>();
    specification->shards.push_back(make_blob("shard").ref);
    job.job = id;
    job.specification = specification;
    job.shard_rows = {10};
    job.state = JobState::kSucceeded;
    job.checkpoint.server = std::make_shared<const ml::ServerState>();
    return job;
  }

  MemoryStore store_;
  std::unique_ptr<Coordinator> coordinator_;
};

TEST_F(Bounds, NoNodeJoinsBeyondTheLastOne) {
  constexpr std::uint16_t kAll = 4096;
  std::vector<Address> nodes;
  for (std::uint16_t port = 1; port <= kAll; ++port) {
    nodes.push_back({"node", port});
  }
  start(nodes, store_.load());
  ASSERT_THAT(coordinator_->nodes(), SizeIs(kAll));
  try {
    static_cast<void>(coordinator_->join({"late", 1}, "x"));
    ADD_FAILURE() << "one more has joined";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.what(), HasSubstr("there are 4096 nodes already"));
  }
  EXPECT_TRUE(coordinator_->join(nodes.back(), "x").accepted) << "it is one of them";
}

TEST_F(Bounds, AListOfJobsHasTheNewestTenThousand) {
  StoredState state = store_.load();
  for (int n = 0; n <= 10'000; ++n) {
    state.jobs.push_back(ended_job(std::to_string(n)));
  }
  start({}, std::move(state));
  const std::vector<JobSummary> all = coordinator_->jobs(0);
  ASSERT_THAT(all, SizeIs(10'000));
  EXPECT_EQ(all.front().job, "10000");
  EXPECT_EQ(all.back().job, "1");
  EXPECT_THAT(coordinator_->jobs(20'000), SizeIs(10'000));
}

TEST_F(Bounds, AJobsLogComesInThousands) {
  std::vector<Record> records;
  for (std::uint64_t n = 1; n <= 2'000; ++n) {
    JobEvent event;
    event.sequence = n;
    records.emplace_back(JobLogged{"job", event});
  }
  StoredState state = store_.load();
  store_.commit(records);
  state.jobs.push_back(ended_job("job"));
  start({}, std::move(state));
  const JobLog first = coordinator_->logs("job", 0, milliseconds(0));
  EXPECT_THAT(first.events, SizeIs(1'000));
  EXPECT_FALSE(first.ended);
  const JobLog second = coordinator_->logs("job", 1'000, milliseconds(0));
  EXPECT_THAT(second.events, SizeIs(1'000));
  EXPECT_FALSE(second.ended) << "there might be more";
  const JobLog last = coordinator_->logs("job", 2'000, milliseconds(0));
  EXPECT_THAT(last.events, SizeIs(0));
  EXPECT_TRUE(last.ended);
}

TEST(ReportsDue, AreTenThousandRoundsOrTwentyThousandTasksAtMost) {
  Job job;
  job.shard_rows.resize(7);
  job.durable.round = 25'000;
  EXPECT_EQ(reports_due(job, {}), 10'000U);
  EXPECT_EQ(reports_due(job, {.job = "job", .rounds_known = 20'000}), 5'000U);
  EXPECT_EQ(reports_due(job, {.job = "job", .rounds_known = 30'000}), 0U);
  EXPECT_EQ(reports_due(job, {.job = "job", .with_tasks = true}), 20'000U / 7 + 1);
  job.shard_rows.resize(60'000);
  EXPECT_EQ(reports_due(job, {.job = "job", .with_tasks = true}), 1U)
      << "it goes on, a round at a time";
}

/// A node that says that it has very many slots.
class GreedyLink final : public NodeLink {
 public:
  NodeBeat heartbeat(std::span<const std::string> /*live*/) override {
    return {.hello = {.incarnation = "x", .kernel_id = "y", .slots = 1'000'000}};
  }
  TaskAnswer run_task(const TaskOffer& /*offer*/,
                      const Enclosure& /*enclosed*/,
                      milliseconds /*wait*/) override {
    return {};
  }
  TaskAnswer poll_task(const TaskId& /*task*/, milliseconds /*wait*/) override { return {}; }
  void cancel_task(const TaskId& /*task*/) override {}
  void put_blob(const Blob& /*blob*/) override {}
  Blob get_blob(const BlobRef& /*blob*/) override { return {}; }
  std::optional<RowPredictions> predict(const Digest& /*model*/,
                                        std::span<const RawRows> /*parts*/,
                                        milliseconds /*deadline*/) override {
    return {};
  }
  void put_model(const Blob& /*file*/) override {}
  std::optional<FaultState> set_faults(const FaultSettings& /*faults*/) override { return {}; }
  std::optional<FaultState> faults() override { return {}; }
  void interrupt() override {}
  [[nodiscard]] LinkBytes bytes() const override { return {}; }
};

/// Waits for the first heartbeat, and has no jobs.
class FirstBeat final : public NodeEvents {
 public:
  void heartbeat(NodeId /*node*/, const NodeBeat& /*beat*/) override {
    const std::lock_guard lock(mutex_);
    heard_ = true;
    changed_.notify_all();
  }
  void heartbeat_missed(NodeId /*node*/, const std::string& why) override { ADD_FAILURE() << why; }
  void node_gone(NodeId /*node*/, const std::string& why, Duration /*took*/) override {
    ADD_FAILURE() << why;
  }
  void task_taken(const TaskId& /*task*/) override {}
  void task_accepted(const TaskId& /*task*/) override {}
  void task_ended(NodeId /*node*/, const TaskId& /*task*/, TaskOutcome /*outcome*/) override {}
  [[nodiscard]] std::vector<std::string> live_jobs() override { return {}; }
  [[nodiscard]] std::optional<Blob> blob(const Digest& /*digest*/) override { return {}; }

  [[nodiscard]] bool comes_within(seconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [this] { return heard_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool heard_ = false;
};

TEST(NodeSession, OpensSixtyFourSlotsAtMost) {
  std::atomic<int> links = 0;
  FirstBeat events;
  NodeSession session(
      0,
      {"node", 1},
      std::chrono::hours(1),
      [&](const Address& /*address*/) {
        ++links;
        return std::make_unique<GreedyLink>();
      },
      events);
  session.start();
  EXPECT_TRUE(events.comes_within(seconds(60)));
  session.stop();
  EXPECT_EQ(links, 1 + 64) << "one for heartbeats, and one for each slot";
}

}  // namespace
}  // namespace gradmill::coordinator
