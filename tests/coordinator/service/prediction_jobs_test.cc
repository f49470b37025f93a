// Prediction jobs with real threads and real workers.
#include <string>

#include <gtest/gtest.h>

#include "coordinator/service/service_fixture.h"
#include "formats/model_file.h"
#include "ml/train_shard.h"

namespace gradmill::coordinator {
namespace {

class PredictionJobs : public ServiceTest {
 protected:
  PredictionJobs() {
    formats::ModelFile model;
    model.topology = specification_.rule.topology;
    model.metadata["activation"] = "relu";
    file_ = make_blob(formats::encode_model_header(model) +
                      ml::initial_parameter_bytes(specification_.rule));
    job_.shards = specification_.shards;
    PredictionPlan& plan = job_.prediction.emplace();
    plan.batch_rows = 7;
    plan.labelled = true;
    plan.model.file = file_.ref;
    plan.model.features = 3;
  }

  /// Registers the model, and submits a job by it.
  void predict(const std::string& id) {
    coordinator_->put_blob(file_);
    const ModelVersion version = coordinator_->import_model("letters", file_.ref);
    job_.prediction->model.model = version.model;
    job_.prediction->model.version = version.version;
    job_.prediction->model.labels = version.labels;
    submit(id, job_);
  }

  /// All predictions that there are, as classes and probabilities.
  RowPredictions fetch(const std::string& id, std::uint32_t rows_max) {
    RowPredictions all;
    std::uint64_t rows = 0;
    for (;;) {
      const JobPredictions next =
          coordinator_->predictions(id, rows, rows_max, std::chrono::seconds(10));
      EXPECT_EQ(next.first_row, rows);
      EXPECT_LE(next.rows, rows_max);
      all.classes += next.predictions.classes;
      all.probabilities += next.predictions.probabilities;
      rows += next.rows;
      if (next.ended) {
        return all;
      }
    }
  }

  /// What the model says of all rows, directly.
  [[nodiscard]] RowPredictions expected() const {
    node::ModelShelf shelf(1 << 20);
    const auto model = shelf.put(file_);
    RowPredictions all;
    for (const Blob& blob : blobs_) {
      const formats::ShardView shard = formats::view_shard(*blob.bytes);
      const RowPredictions some =
          model->predict({ElementType::kByte, shard.rows, shard.features, shard.values});
      all.classes += some.classes;
      all.probabilities += some.probabilities;
    }
    return all;
  }

  void expect_all(const std::string& id, std::uint32_t rows_max = 10) {
    const RowPredictions found = fetch(id, rows_max);
    EXPECT_EQ(found.classes, expected().classes);
    EXPECT_EQ(found.probabilities, expected().probabilities);
  }

  Blob file_;
  JobSpecification job_;
};

TEST_F(PredictionJobs, GiveEachRowInItsPlace) {
  for (const char* const policy : {"random", "round-robin", "load-balancing"}) {
    start(policy, {{0, Fault::kNone}, {0.3, Fault::kNone}});
    predict("p");
    const JobStatus status = finish("p");
    EXPECT_EQ(status.state, JobState::kSucceeded) << status.message;
    ASSERT_TRUE(status.prediction);
    EXPECT_EQ(status.prediction->rows, 7 * 40 + 21U);
    EXPECT_EQ(status.prediction->rows_done, status.prediction->rows);
    EXPECT_NE(status.message.find("are as they are labelled"), std::string::npos);
    expect_all("p");
    reset();
  }
}

TEST_F(PredictionJobs, CanBeReadWhileTheyRun) {
  start("load-balancing", {{0, Fault::kNone}});
  predict("p");
  expect_all("p", 1000);
}

TEST_F(PredictionJobs, HaveStatisticsOfEachBatchThatOutliveTheCoordinator) {
  start("load-balancing", {{0, Fault::kNone}, {0.3, Fault::kBreaksEveryThirdCall}});
  predict("p");
  EXPECT_EQ(finish("p").state, JobState::kSucceeded);
  const JobStatistics found = coordinator_->statistics("p");
  EXPECT_EQ(found.state, JobState::kSucceeded);
  EXPECT_TRUE(found.predicts);
  ASSERT_TRUE(found.tasks);
  EXPECT_EQ(found.tasks->queries, 3U * 6 + 4 * 7) << "40 to 46 rows a shard, 7 a batch";
  EXPECT_EQ(found.tasks->rows, 7 * 40 + 21U);
  EXPECT_EQ(found.tasks->queries_per_second, 0);
  EXPECT_GE(found.tasks->total.mean, found.tasks->queue.mean + found.tasks->compute.mean);
  const ModelStatistics of_model = coordinator_->model_statistics("letters");
  EXPECT_EQ(of_model.batches.queries, found.tasks->queries);
  EXPECT_EQ(of_model.requests.queries, 0U);
  EXPECT_EQ(coordinator_->jobs(0).front().tasks, found.tasks->queries);
  EXPECT_THROW(static_cast<void>(coordinator_->statistics("q")), Error);
  EXPECT_THROW(static_cast<void>(coordinator_->model_statistics("letters@9")), Error);

  start_coordinator("load-balancing", {{"node", 1}});
  EXPECT_EQ(coordinator_->statistics("p").tasks, found.tasks);
  coordinator_->remove("p");
  EXPECT_THROW(static_cast<void>(coordinator_->statistics("p")), Error);
}

TEST_F(PredictionJobs, ShowWhatNodesAreAt) {
  start("load-balancing", {{0, Fault::kDead}});
  predict("p");
  EXPECT_EQ(coordinator_->statistics("p").tasks, QueryStatistics{}) << "none so far";
  NodeStatus node = coordinator_->nodes().front();
  EXPECT_TRUE(node.doing.empty());
  EXPECT_FALSE(node.answered_ago);
  EXPECT_GT(node.member_since_ms, 0);
  nodes_.front()->fault = Fault::kNone;
  EXPECT_EQ(finish("p").state, JobState::kSucceeded);
  node = coordinator_->nodes().front();
  EXPECT_TRUE(node.doing.empty());
  EXPECT_TRUE(node.answered_ago);
}

TEST_F(PredictionJobs, DoNotMindNodesThatFail) {
  start("load-balancing",
        {{0, Fault::kNone},
         {0, Fault::kBreaksEveryThirdCall},
         {0, Fault::kReturnsNonsense},
         {0, Fault::kReturnsTooMuch},
         {0, Fault::kFlipsABit}});
  predict("p");
  EXPECT_EQ(finish("p").state, JobState::kSucceeded);
  expect_all("p");
}

TEST_F(PredictionJobs, GoOnAfterARestartAndAPause) {
  start("load-balancing", {{0, Fault::kNone}});
  predict("p");
  static_cast<void>(coordinator_->control("p", JobCommand::kPause, std::chrono::seconds(5)));
  start_coordinator("load-balancing", {{"node", 1}});
  if (!has_ended(coordinator_->job("p").status.state)) {
    static_cast<void>(coordinator_->control("p", JobCommand::kResume, std::chrono::seconds(5)));
  }
  EXPECT_EQ(finish("p").state, JobState::kSucceeded);
  expect_all("p");
}

TEST_F(PredictionJobs, TakeAnotherBatchSizeWhileTheyRun) {
  start("load-balancing", {{0, Fault::kDead}});
  predict("p");
  coordinator_->set_batch_rows("p", 100);
  EXPECT_EQ(coordinator_->job("p").status.prediction->batch_rows, 100U);
  start_coordinator("load-balancing", {{"node", 1}});
  EXPECT_EQ(coordinator_->job("p").status.prediction->batch_rows, 100U) << "it is durable";
  nodes_.front()->fault = Fault::kNone;
  const JobStatus status = finish("p");
  EXPECT_EQ(status.state, JobState::kSucceeded);
  EXPECT_EQ(status.nodes.front().tasks, 7U) << "one batch a shard";
  expect_all("p");
}

TEST_F(PredictionJobs, RefuseWhatDoesNotFit) {
  start("load-balancing", {{0, Fault::kNone}});
  predict("p");
  EXPECT_EQ(finish("p").state, JobState::kSucceeded);
  const auto refused = [&](const JobSpecification& job) {
    try {
      submit("q", job);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  JobSpecification wrong = job_;
  wrong.prediction->model.features = 4;
  EXPECT_NE(refused(wrong).find("3 features"), std::string::npos);
  wrong = job_;
  wrong.prediction->model.file = blobs_.front().ref;
  EXPECT_NE(refused(wrong).find("letters@1"), std::string::npos);
  EXPECT_THROW(coordinator_->set_batch_rows("p", 10), Error) << "it has ended";
  EXPECT_THROW(coordinator_->set_batch_rows("none", 10), Error);
  EXPECT_THROW(static_cast<void>(coordinator_->predictions("p", 1000, 1, {})), Error);
}

}  // namespace
}  // namespace gradmill::coordinator
