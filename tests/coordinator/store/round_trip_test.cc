// What was committed is found again, whatever kind of record it was.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"
#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreRoundTrip : public StateFolder {};

TEST_F(StoreRoundTrip, NewFolderIsEmptyAndItsOwnersAlone) {
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  EXPECT_THAT(state.jobs, IsEmpty());
  EXPECT_THAT(state.nodes, IsEmpty());
  EXPECT_THAT(state.notes, IsEmpty());
  EXPECT_EQ(state.epoch, 1U);
  EXPECT_EQ(state.coordinator.size(), 16U);
  EXPECT_EQ(std::filesystem::status(path()).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(StoreRoundTrip, EpochsRiseAndTheCoordinatorStays) {
  const StoredState first = open_state_folder(path())->load();
  const StoredState second = open_state_folder(path())->load();
  EXPECT_EQ(second.epoch, first.epoch + 1);
  EXPECT_EQ(second.coordinator, first.coordinator);
}

TEST_F(StoreRoundTrip, NeitherEpochNorCoordinatorIsLostWithOneOfTheirTwoPlaces) {
  const StoredState first = open_state_folder(path())->load();
  std::filesystem::remove(at("identity"));
  const StoredState second = open_state_folder(path())->load();
  EXPECT_EQ(second.epoch, 2U);
  EXPECT_EQ(second.coordinator, first.coordinator);
  std::filesystem::remove(at("gradmill.db"));
  const StoredState third = open_state_folder(path())->load();
  EXPECT_EQ(third.epoch, 3U);
  EXPECT_EQ(third.coordinator, first.coordinator);
}

TEST_F(StoreRoundTrip, KeepsEveryFieldOfASubmittedJob) {
  commit({added("letters.h24_1-a")});
  const StoredState state = open_state_folder(path())->load();
  ASSERT_EQ(state.jobs.size(), 1U);
  const StoredJob& job = state.jobs[0];
  const JobSpecification expected = specification();
  EXPECT_EQ(job.job, "letters.h24_1-a");
  EXPECT_EQ(job_digest(*job.specification), job_digest(expected));
  EXPECT_EQ(job.specification->validate_every, expected.validate_every);
  EXPECT_EQ(job.specification->quorum, expected.quorum);
  EXPECT_EQ(job.specification->round_deadline, expected.round_deadline);
  EXPECT_EQ(job.specification->blobs(), expected.blobs());
  EXPECT_EQ(job.specification->rule.standardization, expected.rule.standardization);
  EXPECT_THAT(job.shard_rows, ElementsAre(10, 20));
  EXPECT_EQ(job.submitted_ms, 1234567890123);
  EXPECT_EQ(job.share, (JobShare{.priority = -3, .weight = 7}));
  EXPECT_EQ(job.state, JobState::kPending);
  EXPECT_EQ(job.checkpoint.round, 0U);
  EXPECT_EQ(*job.checkpoint.weights.bytes, *added("").weights.bytes);
  EXPECT_TRUE(job.checkpoint.exact);
}

TEST_F(StoreRoundTrip, AJobFromBeforeThereWereSharesHasTheCommonOne) {
  const JobAdded record = added("job");
  std::string text =
      text_of(Definition{1, record.job, record.specification, record.shard_rows, 5, record.share});
  for (const std::string_view gone : {R"("priority":-3,)", R"(,"weight":7)"}) {
    const std::size_t at = text.find(gone);
    ASSERT_NE(at, std::string::npos) << text;
    text.erase(at, gone.size());
  }
  EXPECT_EQ(definition_of(text).share, JobShare{});
}

TEST_F(StoreRoundTrip, KeepsRoundsWithTheirTasksAndTheCheckpoint) {
  commit({added("a"), finished("a", 1), finished("a", 2), finished("a", 3)});
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  ASSERT_EQ(state.jobs.size(), 1U);
  const StoredJob& job = state.jobs[0];
  const RoundFinished last = finished("a", 3);
  EXPECT_EQ(job.checkpoint.round, 3U);
  EXPECT_EQ(*job.checkpoint.weights.bytes, *last.checkpoint.weights.bytes);
  EXPECT_EQ(job.checkpoint.server->first, last.checkpoint.server->first);
  EXPECT_THAT(job.checkpoint.server->second, IsEmpty());
  EXPECT_EQ(job.checkpoint.best_round, 3U);
  EXPECT_EQ(job.checkpoint.best_error, last.checkpoint.best_error);
  EXPECT_FALSE(job.checkpoint.exact);
  EXPECT_EQ(job.tallies.at("node:1").tasks, 3U);
  ASSERT_EQ(job.rounds.size(), 3U);
  EXPECT_EQ(job.rounds[1].validation_error, 0.5);
  EXPECT_EQ(job.rounds[1].seconds, 0.1 * 2);
  EXPECT_THAT(job.rounds[1].missing, ElementsAre(1));
  const auto reports = store->rounds("a", 1, 1);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].round, 2U);
  ASSERT_EQ(reports[0].tasks.size(), 2U);
  EXPECT_EQ(reports[0].tasks[1].node, "node:2");
  EXPECT_EQ(reports[0].tasks[1].loss, 3.25);
  EXPECT_THAT(store->rounds("a", 3, 10), IsEmpty());
  EXPECT_THAT(store->rounds("b", 0, 10), IsEmpty());
}

TEST_F(StoreRoundTrip, KeepsBestWeightsThatAreNotTheLast) {
  commit({added("a"), finished("a", 1), finished("a", 2)});
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  const RoundFinished best = finished("a", 1);
  EXPECT_EQ(state.jobs.at(0).checkpoint.best_round, 1U);
  EXPECT_EQ(*state.jobs.at(0).checkpoint.best_weights.bytes, *best.checkpoint.weights.bytes);
  EXPECT_EQ(*store->weights("a")->bytes, *best.checkpoint.weights.bytes);
}

TEST_F(StoreRoundTrip, RoundsOfEndedJobsAreReadWhenTheyAreAskedFor) {
  commit({added("a"), finished("a", 1), finished("a", 2), ended("a")});
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  ASSERT_EQ(state.jobs.size(), 1U);
  EXPECT_THAT(state.jobs[0].rounds, testing::IsEmpty());
  EXPECT_EQ(state.jobs[0].validation_error, finished("a", 2).report.validation_error);
  EXPECT_EQ(store->rounds("a", 0, 10).size(), 2U);
}

TEST_F(StoreRoundTrip, KeepsPausesAndEnds) {
  commit({added("a"), added("b"), finished("a", 1), ended("a"), moved("b", JobState::kPaused)});
  {
    const auto store = open_state_folder(path());
    const StoredState state = store->load();
    ASSERT_EQ(state.jobs.size(), 2U);
    EXPECT_EQ(state.jobs[0].state, JobState::kSucceeded);
    EXPECT_EQ(state.jobs[0].end.reason, "succeeded");
    EXPECT_EQ(state.jobs[0].end.message, "a \"sentence\"\nand \xEF\xBF\xBD");
    EXPECT_EQ(state.jobs[0].ended_ms, 99);
    EXPECT_EQ(state.jobs[0].tallies.at("node:1").failed, 9U);
    EXPECT_EQ(state.jobs[0].checkpoint.weights.bytes, nullptr);
    EXPECT_EQ(state.jobs[0].checkpoint.weights.ref, finished("a", 1).checkpoint.weights.ref);
    EXPECT_EQ(*store->weights("a")->bytes, *finished("a", 1).checkpoint.weights.bytes);
    EXPECT_EQ(state.jobs[1].state, JobState::kPaused);
    store->commit(std::vector<Record>{moved("b", JobState::kPending)});
  }
  EXPECT_EQ(open_state_folder(path())->load().jobs.at(1).state, JobState::kPending);
}

TEST_F(StoreRoundTrip, KeepsEventsInOrder) {
  commit({added("a"), logged("a", 1), logged("a", 2), logged("a", 3)});
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  const auto events = store->events("a", 1, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].sequence, 2U);
  EXPECT_TRUE(events[0].warning);
  EXPECT_EQ(events[0].round, 3U);
  EXPECT_EQ(events[0].shard, std::nullopt);
  EXPECT_EQ(events[0].attempt, 1ULL << 63U);
  EXPECT_EQ(events[0].message, "it's gone");
  EXPECT_EQ(store->events("a", 0, 100).size(), 3U);
}

TEST_F(StoreRoundTrip, KeepsMembers) {
  commit({NodeAdded{{"one", 1}, NodeSource::kJoined},
          NodeAdded{{"two", 2}, NodeSource::kAdded},
          NodeAdded{{"three", 3}, NodeSource::kAdded},
          NodeAdded{{"::1", 4}, NodeSource::kAdded},
          NodeAdded{{"::1", 5}, NodeSource::kAdded},
          NodeRemoved{{"::1", 5}},
          NodeRemoved{{"one", 1}}});
  const StoredState state = open_state_folder(path())->load();
  ASSERT_EQ(state.nodes.size(), 3U);
  EXPECT_EQ(state.nodes[0].address, (Address{"::1", 4}));
  EXPECT_EQ(state.nodes[1].address.text(), "three:3");
  EXPECT_EQ(state.nodes[2].source, NodeSource::kAdded);
}

TEST_F(StoreRoundTrip, KeepsTheModeOfScheduling) {
  EXPECT_EQ(open_state_folder(path())->load().scheduling, SchedulingMode::kGlobal);
  commit({SchedulingSet{SchedulingMode::kLocal}});
  EXPECT_EQ(open_state_folder(path())->load().scheduling, SchedulingMode::kLocal);
  commit({SchedulingSet{SchedulingMode::kLocal}, SchedulingSet{SchedulingMode::kGlobal}});
  EXPECT_EQ(open_state_folder(path())->load().scheduling, SchedulingMode::kGlobal);
}

TEST_F(StoreRoundTrip, ForgetsRemovedJobsAndTakesTheirNamesAgain) {
  commit({added("a"), finished("a", 1), logged("a", 1), ended("a"), added("b")});
  commit({JobRemoved{"a"}, added("a", 2)});
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  ASSERT_EQ(state.jobs.size(), 2U);
  EXPECT_EQ(state.jobs[0].job, "b");
  EXPECT_EQ(state.jobs[1].job, "a");
  EXPECT_EQ(state.jobs[1].specification->rule.seed, 2U);
  EXPECT_EQ(state.jobs[1].checkpoint.round, 0U);
  EXPECT_THAT(store->events("a", 0, 10), IsEmpty());
  EXPECT_THAT(names_in(at("jobs")), ElementsAre("2-b", "3-a"));
}

TEST_F(StoreRoundTrip, RecordsMayComeAgain) {
  const std::vector<Record> records = {added("a"),
                                       finished("a", 1),
                                       logged("a", 1),
                                       finished("a", 2),
                                       moved("a", JobState::kPaused)};
  commit(records);
  const std::string before = describe(path());
  commit(records);
  EXPECT_EQ(describe(path()), before);
}

TEST_F(StoreRoundTrip, KeepsTwoGenerationsOfWeights) {
  commit({added("a")});
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  for (std::uint32_t round = 1; round <= 3; ++round) {
    store->commit(std::vector<Record>{finished("a", round)});
    EXPECT_THAT(
        names_in(job_folder("a")),
        ElementsAre(
            "job", "weights-" + std::to_string(round - 1), "weights-" + std::to_string(round)));
  }
}

TEST_F(StoreRoundTrip, WritesOnlyTheNewestWeightsOfABatch) {
  commit({added("a")});
  commit({finished("a", 1), finished("a", 2), finished("a", 3)});
  EXPECT_THAT(names_in(job_folder("a")), ElementsAre("job", "weights-0", "weights-3"));
}

TEST_F(StoreRoundTrip, SharesShardsBetweenJobs) {
  commit({added("a"), added("b")});
  EXPECT_EQ(names_in(at("shards")).size(), 4U);
}

}  // namespace
}  // namespace gradmill::coordinator
