#include "compute_node/worker/task_work.h"

#include <utility>

#include "base/error.h"

namespace gradmill::node {
namespace {

/// A shard's part of a round.
class Training final : public TaskWork {
 public:
  Training(const TaskRequest& request, const TaskStores& stores)
      : request_(request), stores_(stores) {}

  std::vector<Digest> gather() override {
    std::vector<Digest> missing;
    prepared_ = stores_.samples.find(request_.shard.digest, request_.rule);
    if (prepared_ == nullptr) {
      shard_ = stores_.inbox.find(request_.shard.digest);
    }
    if (prepared_ == nullptr && !shard_) {
      missing.push_back(request_.shard.digest);
    }
    weights_ = stores_.inbox.find(request_.weights.digest);
    if (!weights_) {
      missing.push_back(request_.weights.digest);
    }
    return missing;
  }

  std::optional<std::string> compute(ml::Trainer& trainer,
                                     const std::stop_token& stop,
                                     TaskAnswer& answer) override {
    prepare();
    const ml::TaskPosition position = {
        .round = request_.task.round, .rounds = request_.rounds, .shard = request_.task.shard};
    ml::TrainingResult result =
        trainer.train(request_.rule, prepared_->samples, *weights_->bytes, position, stop);
    if (result.cancelled || result.diverged) {
      answer.state = result.cancelled ? TaskState::kCancelled : TaskState::kDiverged;
      return std::nullopt;
    }
    answer.loss = result.loss;
    answer.epochs = result.epochs;
    return std::move(result.delta);
  }

 private:
  void prepare() {
    if (prepared_ == nullptr) {
      prepared_ = prepare_shard(*shard_->bytes, request_.rule);
      stores_.samples.put(request_.shard.digest, request_.rule, prepared_);
      shard_.reset();
    }
    const ml::Topology& topology = request_.rule.topology;
    if (prepared_->features != topology.features() || prepared_->classes > topology.classes() ||
        request_.weights.bytes !=
            ml::parameter_count(topology) * ml::element_bytes(request_.rule.precision)) {
      throw invalid_input("the shard or the weights do not suit the topology");
    }
  }

  const TaskRequest& request_;
  const TaskStores stores_;
  std::optional<Blob> weights_;
  std::optional<Blob> shard_;  // if it has yet to be prepared
  std::shared_ptr<const PreparedShard> prepared_;
};

/// A batch of rows.
class Prediction final : public TaskWork {
 public:
  Prediction(const TaskRequest& request, const TaskStores& stores)
      : request_(request), stores_(stores) {}

  std::vector<Digest> gather() override {
    model_ = stores_.models.find(request_.weights.digest);
    if (model_ == nullptr) {
      file_ = stores_.inbox.find(request_.weights.digest);
    }
    return model_ == nullptr && !file_ ? std::vector<Digest>{request_.weights.digest}
                                       : std::vector<Digest>{};
  }

  std::optional<std::string> compute(ml::Trainer& /*trainer*/,
                                     const std::stop_token& /*stop*/,
                                     TaskAnswer& /*answer*/) override {
    if (model_ == nullptr) {
      model_ = stores_.models.put(*file_);
      file_.reset();
    }
    RowPredictions predictions = model_->predict(request_.batch->rows);
    return std::move(predictions.classes) + predictions.probabilities;
  }

 private:
  const TaskRequest& request_;
  const TaskStores stores_;
  std::shared_ptr<ShelvedModel> model_;
  std::optional<Blob> file_;  // if the model has yet to be made of it
};

}  // namespace

std::unique_ptr<TaskWork> work_of(const TaskRequest& request, const TaskStores& stores) {
  if (request.batch) {
    return std::make_unique<Prediction>(request, stores);
  }
  return std::make_unique<Training>(request, stores);
}

}  // namespace gradmill::node
