// The models that a node predicts by.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "ml/predictor.h"
#include "protocol/prediction.h"

namespace gradmill::node {

/// The network of a whole model file. Throws Error(kInvalidInput) that says what is wrong with it.
[[nodiscard]] ml::Network network_from(std::string_view file);

/// A model, ready for the kernels. Thread-safe: calls compute side by side.
class ShelvedModel {
 public:
  ShelvedModel(const Digest& digest, ml::Network network);

  [[nodiscard]] const Digest& digest() const { return digest_; }
  [[nodiscard]] std::uint64_t bytes() const { return network_->bytes(); }
  /// What the model says of `rows`, which check_rows() has seen. Throws Error(kInvalidInput) if
  /// they are of another width.
  [[nodiscard]] RowPredictions predict(const RawRows& rows);

 private:
  const Digest digest_;
  const std::shared_ptr<const ml::PreparedNetwork> network_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ml::Predictor>> idle_;  // guarded by mutex_
};

/// Keeps models up to a bound in bytes, least recently used out first; the newest stays in any
/// case. Thread-safe.
class ModelShelf {
 public:
  explicit ModelShelf(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Takes a model file. Throws as network_from().
  std::shared_ptr<ShelvedModel> put(const Blob& file);
  /// Null if it is not here.
  [[nodiscard]] std::shared_ptr<ShelvedModel> find(const Digest& model);

 private:
  using Models = std::list<std::shared_ptr<ShelvedModel>>;  // most recently used first
  [[nodiscard]] Models::iterator locate(const Digest& model);

  const std::uint64_t bytes_max_;
  std::mutex mutex_;
  Models models_;            // guarded by mutex_
  std::uint64_t bytes_ = 0;  // likewise
};

}  // namespace gradmill::node
