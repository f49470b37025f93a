#include "compute_node/worker/worker.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/model_file.h"
#include "formats/shard_blob.h"
#include "ml/parameter_bytes.h"
#include "ml/train_shard.h"

namespace gradmill::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Fence kFence{"coordinator", 3};
const Fence kLater{"coordinator", 4};

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() {
    ml::Shard shard;
    shard.rows = 10;
    shard.features = 2;
    shard.classes = 2;
    std::vector<std::uint8_t> values;
    for (std::uint8_t row = 0; row < shard.rows; ++row) {
      values.push_back(row);
      values.push_back(static_cast<std::uint8_t>(row % 3));
      shard.labels.push_back(row % 2);
    }
    shard.values = values;
    shard_ = make_blob(formats::encode_shard(shard));
    rule_.topology.units = {2, 3, 2};
    rule_.eta = 0.01;
    rule_.epochs = 3;
    weights_ = make_blob(ml::initial_parameter_bytes(rule_));
    formats::ModelFile model;
    model.topology = rule_.topology;
    model.metadata["activation"] = "relu";
    model_ = make_blob(formats::encode_model_header(model) + *weights_.bytes);
  }

  TaskRequest request(std::uint64_t offer, std::uint32_t round = 1) const {
    TaskRequest request;
    request.task = {.job = "j", .round = round, .shard = 0, .offer = offer};
    request.rule = rule_;
    request.weights = weights_.ref;
    request.shard = shard_.ref;
    request.weights_blob = weights_;
    return request;
  }
  /// Rows of a prediction task; its model does not come along.
  TaskRequest batch(std::uint64_t offer, std::uint64_t first_row, std::uint32_t rows) const {
    TaskRequest request;
    request.task = {.job = "p", .round = 1, .shard = 0, .offer = offer};
    request.weights = model_.ref;
    request.shard = shard_.ref;
    RowBatch& batch = request.batch.emplace();
    batch.first_row = first_row;
    batch.values = std::make_shared<const std::string>(std::size_t{2} * rows, '\3');
    batch.rows = {ElementType::kByte, rows, 2, *batch.values};
    return request;
  }
  TaskRequest endless(std::uint64_t offer) const {
    TaskRequest long_one = request(offer);
    long_one.rule.epochs = 1'000'000'000;
    long_one.rule.min_loss_change = 0;
    return long_one;
  }
  TaskAnswer run(Worker& worker, const TaskRequest& request) const {
    TaskAnswer answer = worker.run(kFence, request, seconds(10));
    if (answer.state == TaskState::kMissing) {
      worker.put_blob(kFence, shard_);
      answer = worker.run(kFence, request, seconds(10));
    }
    return answer;
  }
  // The same, offered again while a task that was told to end still holds the slot.
  static TaskAnswer run_until_free(Worker& worker, const Fence& fence, TaskRequest request) {
    for (;;) {
      TaskAnswer answer = worker.run(fence, request, seconds(10));
      if (answer.state != TaskState::kBusy) {
        return answer;
      }
      static_cast<void>(worker.drain(milliseconds(1)));
    }
  }
  static LoadSimulation load(double p) { return {p, 1, "h:1"}; }

  Blob shard_;
  Blob weights_;
  Blob model_;
  ml::TrainingRule rule_;
};

TEST_F(WorkerTest, AsksForWhatItLacksAndTrains) {
  Worker worker({}, load(0));
  TaskRequest without = request(1);
  without.weights_blob.reset();
  const TaskAnswer missing = worker.run(kFence, without, seconds(1));
  ASSERT_EQ(missing.state, TaskState::kMissing);
  EXPECT_EQ(missing.missing, (std::vector<Digest>{shard_.ref.digest, weights_.ref.digest}));
  worker.put_blob(kFence, shard_);
  worker.put_blob(kFence, weights_);
  const TaskAnswer done = worker.run(kFence, without, seconds(10));
  ASSERT_EQ(done.state, TaskState::kDone) << done.message;
  EXPECT_EQ(done.task, without.task);
  EXPECT_EQ(done.weights, weights_.ref.digest);
  EXPECT_EQ(*worker.get_blob(kFence, done.delta).bytes, *done.delta_bytes);
  EXPECT_THROW(static_cast<void>(worker.get_blob(kFence, {sha256("x"), 1})), Error);
}

TEST_F(WorkerTest, SameContentUnderAnotherOfferIsTakenOver) {
  Worker worker({}, load(0));
  const TaskAnswer first = run(worker, request(1));
  const TaskAnswer again = worker.run(kFence, request(2), seconds(10));
  ASSERT_EQ(again.state, TaskState::kDone);
  EXPECT_EQ(again.task.offer, 2U);
  EXPECT_EQ(again.delta, first.delta);
  EXPECT_EQ(worker.poll(kFence, request(1).task, milliseconds(0)).state, TaskState::kNotFound);
}

TEST_F(WorkerTest, ATaskIsHeldBackOnPurposeUntilItIsCancelled) {
  int begun = 0;
  std::chrono::nanoseconds more{0};
  WorkerOptions options;
  options.faults = {.begin = [&] { ++begun; }, .hold_back = [&](auto) { return more; }};
  Worker worker(options, load(0));
  EXPECT_EQ(run(worker, request(1)).state, TaskState::kDone);
  EXPECT_EQ(begun, 1);
  more = std::chrono::hours(1);
  const TaskRequest held = request(2, 2);
  EXPECT_EQ(worker.run(kFence, held, milliseconds(50)).state, TaskState::kRunning);
  worker.cancel(kFence, held.task);
  EXPECT_TRUE(worker.drain(seconds(10)));
  EXPECT_EQ(begun, 2);
}

TEST_F(WorkerTest, HoldsNoMoreTasksThanSlots) {
  Worker worker({}, load(0));
  worker.put_blob(kFence, shard_);
  EXPECT_EQ(worker.run(kFence, endless(1), milliseconds(1)).state, TaskState::kRunning);
  TaskRequest other = request(1);
  other.task.shard = 1;
  EXPECT_EQ(worker.run(kFence, other, milliseconds(1)).state, TaskState::kBusy);
  worker.cancel(kFence, endless(1).task);
  EXPECT_EQ(run(worker, other).state, TaskState::kDone);
}

TEST_F(WorkerTest, RefusesUnderLoadWhereTheRuleLetsIt) {
  Worker worker({.load_delay = milliseconds(1)}, load(1));
  TaskRequest refusable = request(1);
  refusable.load_rule = LoadRule::kRefuseOrDelay;
  EXPECT_EQ(run(worker, refusable).state, TaskState::kRefused);
  const TaskAnswer delayed = run(worker, request(2));
  EXPECT_EQ(delayed.state, TaskState::kDone);
  EXPECT_GE(delayed.delay_seconds, 0.001);
}

TEST_F(WorkerTest, EarlierStartsOfACoordinatorAreRefused) {
  Worker worker({}, load(0));
  static_cast<void>(worker.heartbeat(kFence, {}));
  const Fence old{kFence.coordinator, kFence.epoch - 1};
  EXPECT_THROW(static_cast<void>(worker.run(old, request(1), milliseconds(0))), Error);
  EXPECT_NO_THROW(static_cast<void>(worker.heartbeat({"another", 1}, {})));
}

TEST_F(WorkerTest, JobsThatTwoHeartbeatsLackAreDropped) {
  Worker worker({}, load(0));
  worker.put_blob(kFence, shard_);
  ASSERT_EQ(worker.run(kFence, endless(1), milliseconds(1)).state, TaskState::kRunning);
  static_cast<void>(worker.heartbeat(kFence, {"j"}));
  static_cast<void>(worker.heartbeat(kFence, {}));
  EXPECT_EQ(worker.poll(kFence, endless(1).task, milliseconds(0)).state, TaskState::kRunning);
  static_cast<void>(worker.heartbeat({"another", 1}, {}));
  static_cast<void>(worker.heartbeat(kFence, {}));
  EXPECT_EQ(worker.poll(kFence, endless(1).task, milliseconds(0)).state, TaskState::kNotFound);
  EXPECT_TRUE(worker.drain(seconds(10)));
}

// As the coordinator does when it pauses or cancels a job while others go on.
TEST_F(WorkerTest, AJobThatIsNoLongerListedIsDroppedBesideOnesThatAre) {
  Worker worker({.slots = 2}, load(0));
  worker.put_blob(kFence, shard_);
  TaskRequest other = endless(2);
  other.task.job = "other";
  ASSERT_EQ(worker.run(kFence, endless(1), milliseconds(1)).state, TaskState::kRunning);
  ASSERT_EQ(worker.run(kFence, other, milliseconds(1)).state, TaskState::kRunning);
  for (int beat = 0; beat < 2; ++beat) {
    static_cast<void>(worker.heartbeat(kFence, {"other"}));
  }
  EXPECT_EQ(worker.poll(kFence, endless(1).task, milliseconds(0)).state, TaskState::kNotFound);
  EXPECT_EQ(worker.poll(kFence, other.task, milliseconds(0)).state, TaskState::kRunning);
  // Once it is resumed its tasks are offered anew.
  EXPECT_EQ(run_until_free(worker, kFence, request(3)).state, TaskState::kDone);
}

TEST_F(WorkerTest, ResultsOfAJobThatIsNoLongerListedAreDropped) {
  Worker worker({}, load(0));
  const TaskAnswer done = run(worker, request(1));
  ASSERT_EQ(done.state, TaskState::kDone);
  static_cast<void>(worker.heartbeat(kFence, {}));
  EXPECT_NO_THROW(static_cast<void>(worker.get_blob(kFence, done.delta)));
  static_cast<void>(worker.heartbeat(kFence, {}));
  EXPECT_THROW(static_cast<void>(worker.get_blob(kFence, done.delta)), Error);
}

TEST_F(WorkerTest, ATaskOfTheCoordinatorsEarlierStartIsAdopted) {
  Worker worker({}, load(0));
  worker.put_blob(kFence, shard_);
  ASSERT_EQ(worker.run(kFence, endless(1), milliseconds(1)).state, TaskState::kRunning);
  EXPECT_EQ(worker.run(kLater, endless(7), milliseconds(1)).state, TaskState::kRunning);
  EXPECT_EQ(worker.heartbeat(kLater, {"j"}), 1U) << "it was not begun twice";
  EXPECT_EQ(worker.poll(kLater, endless(7).task, milliseconds(1)).state, TaskState::kRunning);
  EXPECT_EQ(worker.poll(kLater, endless(1).task, milliseconds(1)).state, TaskState::kNotFound);
  EXPECT_THROW(static_cast<void>(worker.poll(kFence, endless(1).task, milliseconds(1))), Error);
}

TEST_F(WorkerTest, ATaskOfTheEarlierStartWithOtherContentIsEnded) {
  Worker worker({}, load(0));
  worker.put_blob(kFence, shard_);
  ASSERT_EQ(worker.run(kFence, endless(1), milliseconds(1)).state, TaskState::kRunning);
  TaskRequest other = request(7);
  const std::vector<float> zeros(ml::parameter_count(rule_.topology), 0);
  other.weights_blob = make_blob(ml::bytes_from<float>(zeros));
  other.weights = other.weights_blob->ref;
  const TaskAnswer done = run_until_free(worker, kLater, other);
  ASSERT_EQ(done.state, TaskState::kDone);
  EXPECT_EQ(done.weights, other.weights.digest);
  EXPECT_EQ(worker.heartbeat(kLater, {"j"}), 0U);
}

TEST_F(WorkerTest, KnowsWhenACoordinatorWasHeardAndItsOwnAge) {
  Worker worker({}, load(0));
  EXPECT_EQ(worker.last_heard(kFence.coordinator), TimePoint{});
  const TimePoint before = std::chrono::steady_clock::now();
  static_cast<void>(worker.heartbeat(kFence, {}));
  EXPECT_GE(worker.last_heard(kFence.coordinator), before);
  EXPECT_EQ(worker.last_heard("another"), TimePoint{});
  const milliseconds young = worker.uptime();
  std::this_thread::sleep_for(milliseconds(2));
  EXPECT_GT(worker.uptime(), young);
}

TEST_F(WorkerTest, ACoordinatorThatIsGoneLosesItsTasks) {
  Worker worker({.lease = milliseconds(1)}, load(0));
  worker.put_blob(kFence, shard_);
  static_cast<void>(worker.run(kFence, endless(1), milliseconds(0)));
  EXPECT_TRUE(worker.drain(seconds(10)));
}

TEST_F(WorkerTest, LeavingEndsWhatRuns) {
  Worker worker({}, load(0));
  worker.put_blob(kFence, shard_);
  ASSERT_EQ(worker.run(kFence, endless(1), milliseconds(1)).state, TaskState::kRunning);
  worker.leave(milliseconds(1));
  EXPECT_EQ(worker.poll(kFence, endless(1).task, seconds(5)).state, TaskState::kCancelled);
  EXPECT_EQ(worker.run(kFence, request(9, 2), milliseconds(0)).state, TaskState::kBusy);
  EXPECT_TRUE(worker.drain(seconds(10)));
}

TEST_F(WorkerTest, LeavingLetsAShortTaskEnd) {
  Worker worker({.load_delay = milliseconds(30)}, load(1));
  worker.put_blob(kFence, shard_);
  ASSERT_EQ(worker.run(kFence, request(1), milliseconds(0)).state, TaskState::kRunning);
  const auto leaves = std::async(std::launch::async, [&] { worker.leave(seconds(10)); });
  while (leaves.wait_for(milliseconds(1)) != std::future_status::ready) {
    static_cast<void>(worker.heartbeat(kFence, {"j"}));
  }
  EXPECT_EQ(worker.poll(kFence, request(1).task, milliseconds(0)).state, TaskState::kDone);
}

TEST_F(WorkerTest, LeavingWaitsUntilCoordinatorsHeardLatelyAreTold) {
  Worker worker({}, load(0));
  Fence other = kFence;
  other.coordinator += "2";
  static_cast<void>(worker.heartbeat(kFence, {}));
  static_cast<void>(worker.heartbeat(other, {}));
  const auto leaves = std::async(std::launch::async, [&] { worker.leave(seconds(10)); });
  while (!worker.leaving()) {
    std::this_thread::yield();
  }
  static_cast<void>(worker.heartbeat(kFence, {}));
  EXPECT_EQ(leaves.wait_for(milliseconds(20)), std::future_status::timeout);
  static_cast<void>(worker.heartbeat(other, {}));
  EXPECT_EQ(leaves.wait_for(seconds(10)), std::future_status::ready);
}

TEST_F(WorkerTest, AShardThatDoesNotSuitIsAFailureWithAReason) {
  Worker worker({}, load(0));
  TaskRequest wrong = request(1);
  wrong.rule.topology.units = {3, 3, 2};
  const TaskAnswer answer = run(worker, wrong);
  EXPECT_EQ(answer.state, TaskState::kFailed);
  EXPECT_NE(answer.message, "");
}

TEST_F(WorkerTest, ALossThatBecomesInfiniteIsNoFailure) {
  Worker worker({}, load(0));
  TaskRequest wild = request(1);
  wild.rule.eta = 1e37;
  wild.rule.epochs = 5;
  EXPECT_EQ(run(worker, wild).state, TaskState::kDiverged);
  wild.task.offer = 2;
  EXPECT_EQ(run(worker, wild).state, TaskState::kDiverged);
  // One step, from a finite loss to weights that are not.
  wild = request(1, 2);
  const std::vector<float> ones(ml::parameter_count(rule_.topology), 1);
  wild.weights_blob = make_blob(ml::bytes_from<float>(ones));
  wild.weights = wild.weights_blob->ref;
  wild.rule.eta = 3e38;
  wild.rule.epochs = 1;
  EXPECT_EQ(run(worker, wild).state, TaskState::kDiverged);
}

TEST(SampleCacheTest, KeepsShardsApartThatAreLaidOutDifferently) {
  SampleCache cache(1 << 20);
  ml::Shard shard{.rows = 1, .features = 2, .classes = 2, .values = {}, .labels = {1}};
  shard.values = std::vector<std::uint8_t>{3, 4};
  const Blob blob = make_blob(formats::encode_shard(shard));
  ml::TrainingRule plain;
  plain.topology.units = {2, 3, 2};
  ml::TrainingRule standardized = plain;
  standardized.standardization = {{1, 1}, {2, 2}};
  ml::TrainingRule precise = plain;
  precise.precision = ml::Precision::kDouble;
  ml::TrainingRule faster = plain;
  faster.eta = 3;
  const auto prepared = prepare_shard(*blob.bytes, plain);
  cache.put(blob.ref.digest, plain, prepared);
  EXPECT_EQ(cache.find(blob.ref.digest, faster), prepared);
  EXPECT_EQ(cache.find(blob.ref.digest, standardized), nullptr);
  EXPECT_EQ(cache.find(blob.ref.digest, precise), nullptr);
  EXPECT_EQ(cache.find(sha256("another"), plain), nullptr);
}

TEST_F(WorkerTest, KeepsNothingWithoutACacheAndStillTrains) {
  Worker worker({.cache_bytes = 0}, load(0));
  EXPECT_EQ(run(worker, request(1)).state, TaskState::kDone);
  EXPECT_EQ(run(worker, request(2, 2)).state, TaskState::kDone);
}

TEST_F(WorkerTest, PredictsABatchByAModelThatItIsGivenOnce) {
  Worker worker({}, load(0));
  const TaskRequest without = batch(1, 0, 3);
  const TaskAnswer missing = worker.run(kFence, without, seconds(1));
  ASSERT_EQ(missing.state, TaskState::kMissing);
  EXPECT_EQ(missing.missing, (std::vector<Digest>{model_.ref.digest}));
  worker.put_blob(kFence, model_);
  const TaskAnswer done = worker.run(kFence, without, seconds(10));
  ASSERT_EQ(done.state, TaskState::kDone) << done.message;
  EXPECT_EQ(done.weights, model_.ref.digest);
  const RowPredictions direct =
      worker.models().find(model_.ref.digest)->predict(without.batch->rows);
  EXPECT_EQ(*done.delta_bytes, direct.classes + direct.probabilities);
}

TEST_F(WorkerTest, OtherRowsOfTheSameNameAreAnotherTask) {
  Worker worker({}, load(0));
  worker.put_blob(kFence, model_);
  const TaskAnswer first = worker.run(kFence, batch(1, 0, 3), seconds(10));
  const TaskAnswer again = worker.run(kFence, batch(2, 0, 3), seconds(10));
  const TaskAnswer other = worker.run(kFence, batch(3, 3, 4), seconds(10));
  ASSERT_EQ(again.state, TaskState::kDone);
  EXPECT_EQ(again.delta_bytes, first.delta_bytes) << "computed once";
  ASSERT_EQ(other.state, TaskState::kDone);
  EXPECT_EQ(other.delta.bytes, 4 * (sizeof(std::uint16_t) + sizeof(float)));
}

TEST_F(WorkerTest, WhatIsNoModelFailsTheTaskAlone) {
  Worker worker({}, load(0));
  TaskRequest request = batch(1, 0, 3);
  request.weights_blob = make_blob("nonsense");
  request.weights = request.weights_blob->ref;
  EXPECT_EQ(worker.run(kFence, request, seconds(10)).state, TaskState::kFailed);
  worker.put_blob(kFence, model_);
  EXPECT_EQ(worker.run(kFence, batch(2, 0, 3), seconds(10)).state, TaskState::kDone);
}

}  // namespace
}  // namespace gradmill::node
