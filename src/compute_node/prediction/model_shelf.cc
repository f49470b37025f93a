#include "compute_node/prediction/model_shelf.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"
#include "formats/model_file.h"
#include "protocol/rule_names.h"

namespace gradmill::node {

ml::Network network_from(std::string_view file) {
  formats::ModelFile model = formats::decode_model(file, "the model");
  const auto activation = model.metadata.find("activation");
  if (activation == model.metadata.end() ||
      std::find(kActivationNames.begin(), kActivationNames.end(), activation->second) ==
          kActivationNames.end()) {
    throw invalid_input("the model does not say in its metadata which activation it has");
  }
  return {.topology = std::move(model.topology),
          .activation = named<ml::Activation>(activation->second, kActivationNames),
          .precision = model.precision,
          .standardization = std::move(model.standardization),
          .parameters = std::move(model.parameters)};
}

void ModelShelf::put(const Blob& file) {
  if (find(file.ref.digest) != nullptr) {
    return;
  }
  auto model = std::make_shared<Model>();
  model->digest = file.ref.digest;
  model->network = std::make_shared<const ml::PreparedNetwork>(network_from(*file.bytes));
  const std::lock_guard lock(mutex_);
  if (locate(file.ref.digest) != models_.end()) {
    return;  // Somebody else was faster.
  }
  bytes_ += model->network->bytes();
  models_.push_front(std::move(model));
  while (bytes_ > bytes_max_ && models_.size() > 1) {
    bytes_ -= models_.back()->network->bytes();
    models_.pop_back();
  }
}

ModelShelf::Models::iterator ModelShelf::locate(const Digest& model) {
  return std::find_if(
      models_.begin(), models_.end(), [&](const auto& one) { return one->digest == model; });
}

std::shared_ptr<ModelShelf::Model> ModelShelf::find(const Digest& model) {
  const std::lock_guard lock(mutex_);
  const auto found = locate(model);
  if (found == models_.end()) {
    return nullptr;
  }
  models_.splice(models_.begin(), models_, found);
  return models_.front();
}

std::optional<RowPredictions> ModelShelf::predict(const Digest& digest, const RawRows& rows) {
  const std::shared_ptr<Model> model = find(digest);
  if (model == nullptr) {
    return std::nullopt;
  }
  if (rows.features != model->network->topology().features()) {
    throw invalid_input("the rows have " + std::to_string(rows.features) +
                        " features, the model has " +
                        std::to_string(model->network->topology().features()));
  }
  std::unique_ptr<ml::Predictor> predictor;
  {
    const std::lock_guard lock(model->mutex);
    if (!model->idle.empty()) {
      predictor = std::move(model->idle.back());
      model->idle.pop_back();
    }
  }
  if (predictor == nullptr) {
    predictor = std::make_unique<ml::Predictor>(model->network);
  }
  RowPredictions result;
  result.classes.resize(rows.rows * sizeof(std::uint16_t));
  result.probabilities.resize(rows.rows * sizeof(float));
  const auto start = std::chrono::steady_clock::now();
  predictor->predict(view_of(rows),
                     reinterpret_cast<std::uint16_t*>(result.classes.data()),
                     reinterpret_cast<float*>(result.probabilities.data()));
  result.compute_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start)
          .count();
  const std::lock_guard lock(model->mutex);
  model->idle.push_back(std::move(predictor));
  return result;
}

}  // namespace gradmill::node
