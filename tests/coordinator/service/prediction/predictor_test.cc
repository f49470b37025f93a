#include "coordinator/service/prediction/predictor.h"

#include <array>
#include <atomic>
#include <cstring>
#include <latch>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A node that says of each row its first byte.
struct FakeNode {
  std::atomic<bool> refuses = false;
  std::atomic<bool> breaks = false;
  std::atomic<bool> lies = false;
  std::atomic<bool> held = false;  // answers nothing
  std::atomic<int> calls = 0;
  std::atomic<int> begun = 0;
  std::mutex mutex;
  std::set<Digest> models;
  std::vector<std::uint32_t> batches;  // rows of each

  void release() {
    held = false;
    held.notify_all();
  }
};

class FakeLink final : public NodeLink {
 public:
  explicit FakeLink(FakeNode& node) : node_(node) {}
  NodeBeat heartbeat(std::span<const std::string> /*live*/) override { return {}; }
  TaskAnswer run_task(const TaskOffer& /*offer*/,
                      const Enclosure& /*enclosed*/,
                      milliseconds /*wait*/) override {
    return {};
  }
  TaskAnswer poll_task(const TaskId& /*task*/, milliseconds /*wait*/) override { return {}; }
  void cancel_task(const TaskId& /*task*/) override {}
  void put_blob(const Blob& /*blob*/) override {}
  Blob get_blob(const BlobRef& /*blob*/) override { return {}; }
  std::optional<FaultState> set_faults(const FaultSettings& /*faults*/) override { return {}; }
  std::optional<FaultState> faults() override { return {}; }
  void interrupt() override {
    interrupted_ = true;
    node_.release();
  }
  [[nodiscard]] LinkBytes bytes() const override { return {}; }

  void put_model(const Blob& file) override {
    const std::lock_guard lock(node_.mutex);
    node_.models.insert(file.ref.digest);
  }
  std::optional<RowPredictions> predict(const Digest& model,
                                        std::span<const RawRows> parts,
                                        milliseconds /*deadline*/) override {
    ++node_.begun;
    node_.begun.notify_all();
    node_.held.wait(true);
    if (node_.refuses) {
      throw ConnectionRefused("connection refused");
    }
    if (node_.breaks || interrupted_) {
      throw Error(ErrorCode::kUnreachable, "closed the connection");
    }
    const std::lock_guard lock(node_.mutex);
    if (!node_.models.contains(model)) {
      return std::nullopt;
    }
    RowPredictions result;
    std::uint32_t rows = 0;
    for (const RawRows& part : parts) {
      for (std::size_t row = 0; row < part.rows; ++row) {
        const auto index = static_cast<std::uint16_t>(part.values[row * part.features]);
        const auto probability = static_cast<float>(index) / 100;
        result.classes.append(reinterpret_cast<const char*>(&index), sizeof index);
        result.probabilities.append(reinterpret_cast<const char*>(&probability),
                                    sizeof probability);
      }
      rows += part.rows;
    }
    if (node_.lies) {
      result.classes.pop_back();
    }
    node_.batches.push_back(rows);
    ++node_.calls;
    return result;
  }

 private:
  FakeNode& node_;
  std::atomic<bool> interrupted_ = false;
};

class FakeModels final : public ModelSource {
 public:
  std::shared_ptr<const ServedModel> resolve(const std::string& reference) override {
    if (reference != "m") {
      throw Error(ErrorCode::kNotFound, "there is no model '" + reference + "'");
    }
    return model_;
  }
  Blob file(const BlobRef& /*ref*/) override { return file_; }

 private:
  const Blob file_ = make_blob("file");
  const std::shared_ptr<const ServedModel> model_ = std::make_shared<const ServedModel>(
      ServedModel{"m", 7, file_.ref, 2, std::vector<std::string>(100, "label")});
};

class PredictorTest : public testing::Test {
 protected:
  PredictorTest() { make({}); }
  ~PredictorTest() override {
    for (FakeNode& node : nodes_) {
      node.release();
    }
  }

  void make(const PredictorOptions& options) {
    predictor_ = std::make_unique<Predictor>(
        options,
        [this](const Address& address) {
          return std::make_unique<FakeLink>(nodes_.at(address.port));
        },
        models_);
  }
  void serve(NodeId node) {
    predictor_->node_serves(node, {"node", static_cast<std::uint16_t>(node)}, "incarnation");
  }
  /// The classes of rows that start with these numbers.
  std::vector<int> ask(const std::vector<int>& firsts, const std::string& model = "m") {
    std::string values;
    for (const int first : firsts) {
      values += {static_cast<char>(first), '\0'};
    }
    const RawRows rows{ElementType::kByte, static_cast<std::uint32_t>(firsts.size()), 2, values};
    const ModelPredictions answer = predictor_->predict(model, rows);
    EXPECT_EQ(answer.version, 7U);
    EXPECT_EQ(answer.rows.probabilities.size(), firsts.size() * sizeof(float));
    std::vector<int> classes;
    for (std::size_t row = 0; row < firsts.size(); ++row) {
      std::uint16_t index = 0;
      std::memcpy(&index, answer.rows.classes.data() + 2 * row, 2);
      classes.push_back(index);
    }
    return classes;
  }
  std::pair<ErrorCode, std::string> failure(const std::vector<int>& firsts,
                                            const std::string& model = "m") {
    try {
      static_cast<void>(ask(firsts, model));
    } catch (const Error& error) {
      return {error.code(), error.what()};
    }
    return {ErrorCode::kCancelled, "no error"};
  }
  static void await(std::atomic<int>& count, int wanted) {
    for (int now = count; now < wanted; now = count) {
      count.wait(now);
    }
  }

  std::array<FakeNode, 3> nodes_;
  FakeModels models_;
  std::unique_ptr<Predictor> predictor_;
};

TEST_F(PredictorTest, ARequestGoesToANodeThatIsGivenTheModelFirst) {
  EXPECT_EQ(failure({1}).first, ErrorCode::kUnavailable) << "there is no node";
  serve(0);
  EXPECT_EQ(ask({5, 9, 0}), (std::vector{5, 9, 0}));
  EXPECT_EQ(ask({1}), (std::vector{1}));
  EXPECT_EQ(nodes_[0].batches, (std::vector{3U, 1U}));
}

TEST_F(PredictorTest, CountsAnsweredRequestsAndTellsWhenNodesAnswered) {
  ModelRecorders recorders;
  predictor_->record_in(recorders);
  std::vector<NodeStatus> status(2);
  status[0].address = {"node", 0};
  status[1].address = {"node", 1};
  EXPECT_EQ(failure({1}).first, ErrorCode::kUnavailable) << "which is no answer";
  serve(0);
  predictor_->tell_of_answers(status);
  EXPECT_FALSE(status[0].answered_ago);
  EXPECT_EQ(ask({5, 9, 0}), (std::vector{5, 9, 0}));
  EXPECT_EQ(ask({1}), (std::vector{1}));
  const QueryStatistics found =
      recorders.statistics("m", 7, std::chrono::steady_clock::now()).requests;
  EXPECT_EQ(found.queries, 2U);
  EXPECT_EQ(found.rows, 4U);
  EXPECT_GT(found.queries_per_second, 0);
  EXPECT_GT(found.total.mean, 0);
  EXPECT_GE(found.total.mean, found.queue.mean + found.compute.mean);
  predictor_->tell_of_answers(status);
  EXPECT_TRUE(status[0].answered_ago);
  EXPECT_FALSE(status[1].answered_ago);
  status[0].answered_ago = milliseconds(-1);
  predictor_->tell_of_answers(status);
  EXPECT_EQ(status[0].answered_ago, milliseconds(-1)) << "a later one stands";
}

TEST_F(PredictorTest, SaysWhatIsWrongWithARequest) {
  serve(0);
  EXPECT_EQ(failure({1}, "x").first, ErrorCode::kNotFound);
  const std::string values(3, '\0');
  try {
    static_cast<void>(predictor_->predict("m", {ElementType::kByte, 1, 3, values}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_STREQ(error.what(), "the rows have 3 features; model m@7 takes 2");
  }
  EXPECT_EQ(nodes_[0].begun, 0);
}

// While the only call is held, others gather; then they go together, and each gets its own.
TEST_F(PredictorTest, WhatComesTogetherGoesTogether) {
  make({.calls_per_node = 1});
  serve(0);
  ASSERT_EQ(ask({1}).size(), 1U);
  nodes_[0].held = true;
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { EXPECT_EQ(ask({99}), (std::vector{99})); });
  await(nodes_[0].begun, 3);
  constexpr int kWaiting = 20;
  std::latch started(kWaiting);
  for (int n = 0; n < kWaiting; ++n) {
    threads.emplace_back([&, n] {
      started.count_down();
      EXPECT_EQ(ask({n, n + 1}), (std::vector{n, n + 1}));
    });
  }
  started.wait();
  nodes_[0].release();
  threads.clear();
  std::uint32_t rows = 0;
  for (const std::uint32_t batch : nodes_[0].batches) {
    rows += batch;
  }
  EXPECT_EQ(rows, 2U + 2 * kWaiting);
}

TEST_F(PredictorTest, TurnsAwayWhatIsTooMuchAtOnce) {
  make({.queued_requests_max = 1, .calls_per_node = 1});
  serve(0);
  ASSERT_EQ(ask({1}).size(), 1U);
  nodes_[0].held = true;
  const std::jthread first([&] { EXPECT_EQ(ask({2}), (std::vector{2})); });
  await(nodes_[0].begun, 3);
  std::atomic<int> turned_away = 0;
  std::vector<std::jthread> others;
  for (int n = 0; n < 2; ++n) {
    others.emplace_back([&] {
      const auto [code, why] = failure({3});
      if (code == ErrorCode::kUnavailable) {
        EXPECT_NE(why.find("too many predictions wait"), std::string::npos) << why;
        ++turned_away;
        turned_away.notify_all();
      }
    });
  }
  await(turned_away, 1);
  nodes_[0].release();
  others.clear();
  EXPECT_EQ(turned_away, 1);
}

TEST_F(PredictorTest, WhatANodeFailsToAnswerIsAskedOfAnother) {
  serve(0);
  serve(1);
  nodes_[0].refuses = true;
  for (int n = 0; n < 10; ++n) {
    EXPECT_EQ(ask({n}), (std::vector{n}));
  }
  EXPECT_EQ(nodes_[0].begun, 1) << "until its next heartbeat it is left alone";
  nodes_[0].refuses = false;
  nodes_[1].breaks = true;
  serve(0);
  EXPECT_EQ(ask({4}), (std::vector{4}));
}

TEST_F(PredictorTest, NothingIsLostWhenNodesDieUnderLoad) {
  serve(0);
  serve(1);
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int n = 0; n < 200; ++n) {
          EXPECT_EQ(ask({t, n % 100}), (std::vector{t, n % 100}));
          ++answered;
          answered.notify_all();
        }
      });
    }
    await(answered, 300);
    nodes_[0].refuses = true;
    await(answered, 700);
    nodes_[0].refuses = false;
    await(answered, 900);  // Whoever was refused has noticed.
    serve(0);
    predictor_->node_gone(1);
    await(answered, 1200);
    serve(1);
  }
  EXPECT_EQ(answered, 1600);
}

TEST_F(PredictorTest, SaysSoWhenNoNodeAnswers) {
  serve(0);
  nodes_[0].breaks = true;
  const auto [code, why] = failure({1});
  EXPECT_EQ(code, ErrorCode::kUnavailable);
  EXPECT_NE(why.find("closed the connection"), std::string::npos) << why;
  nodes_[0].breaks = false;
  nodes_[0].lies = true;
  const auto [lied, words] = failure({1});
  EXPECT_EQ(lied, ErrorCode::kUnavailable) << words;
}

// The last node goes while requests wait for it.
TEST_F(PredictorTest, WaitsForNoNodeThatIsGone) {
  make({.calls_per_node = 1});
  serve(0);
  ASSERT_EQ(ask({1}).size(), 1U);
  nodes_[0].held = true;
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { EXPECT_EQ(failure({2}).first, ErrorCode::kUnavailable); });
  await(nodes_[0].begun, 3);
  threads.emplace_back([&] { EXPECT_EQ(failure({3}).first, ErrorCode::kUnavailable); });
  predictor_->node_gone(0);
}

TEST_F(PredictorTest, StopEndsWhatIsInProgress) {
  make({.calls_per_node = 1});
  serve(0);
  ASSERT_EQ(ask({1}).size(), 1U);
  nodes_[0].held = true;
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { EXPECT_EQ(failure({2}).first, ErrorCode::kUnavailable); });
  await(nodes_[0].begun, 3);
  threads.emplace_back([&] { EXPECT_EQ(failure({3}).first, ErrorCode::kUnavailable); });
  predictor_->stop();
  threads.clear();
  EXPECT_EQ(failure({4}).first, ErrorCode::kUnavailable);
}

// A batch may wait only while every node has a call, and no longer than it should.
TEST_F(PredictorTest, ABatchMayWaitToFill) {
  make({.batch_rows = 4, .batch_delay = std::chrono::milliseconds(20), .calls_per_node = 2});
  serve(0);
  ASSERT_EQ(ask({1}), (std::vector{1})) << "the node is idle";
  nodes_[0].held = true;
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { EXPECT_EQ(ask({2}), (std::vector{2})); });
  await(nodes_[0].begun, 3);
  threads.emplace_back([&] { EXPECT_EQ(ask({3}), (std::vector{3})); });
  await(nodes_[0].begun, 4);  // Its delay is over, though the first call still runs.
  nodes_[0].release();
}

}  // namespace
}  // namespace gradmill::coordinator
