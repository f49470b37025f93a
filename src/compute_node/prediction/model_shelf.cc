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

ShelvedModel::ShelvedModel(const Digest& digest, ml::Network network)
    : digest_(digest), network_(std::make_shared<const ml::PreparedNetwork>(std::move(network))) {}

RowPredictions ShelvedModel::predict(const RawRows& rows) {
  if (rows.features != network_->topology().features()) {
    throw invalid_input("the rows have " + std::to_string(rows.features) +
                        " features, the model has " +
                        std::to_string(network_->topology().features()));
  }
  std::unique_ptr<ml::Predictor> predictor;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      predictor = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (predictor == nullptr) {
    predictor = std::make_unique<ml::Predictor>(network_);
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
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(predictor));
  return result;
}

std::shared_ptr<ShelvedModel> ModelShelf::put(const Blob& file) {
  if (std::shared_ptr<ShelvedModel> known = find(file.ref.digest)) {
    return known;
  }
  auto model = std::make_shared<ShelvedModel>(file.ref.digest, network_from(*file.bytes));
  const std::lock_guard lock(mutex_);
  if (const auto known = locate(file.ref.digest); known != models_.end()) {
    return *known;  // Somebody else was faster.
  }
  bytes_ += model->bytes();
  models_.push_front(model);
  while (bytes_ > bytes_max_ && models_.size() > 1) {
    bytes_ -= models_.back()->bytes();
    models_.pop_back();
  }
  return model;
}

ModelShelf::Models::iterator ModelShelf::locate(const Digest& model) {
  return std::find_if(
      models_.begin(), models_.end(), [&](const auto& one) { return one->digest() == model; });
}

std::shared_ptr<ShelvedModel> ModelShelf::find(const Digest& model) {
  const std::lock_guard lock(mutex_);
  const auto found = locate(model);
  if (found == models_.end()) {
    return nullptr;
  }
  models_.splice(models_.begin(), models_, found);
  return models_.front();
}

}  // namespace gradmill::node
