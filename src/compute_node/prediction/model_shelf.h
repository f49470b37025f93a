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

/// Keeps models, ready for the kernels, up to a bound in bytes, least recently used out first; the
/// newest stays in any case. Thread-safe: calls for one model compute side by side.
class ModelShelf {
 public:
  explicit ModelShelf(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Takes a model file. Throws as network_from().
  void put(const Blob& file);
  /// What the model says of `rows`, which check_rows() has seen; nothing if the model is not here.
  /// Throws Error(kInvalidInput) if the rows are of another width.
  [[nodiscard]] std::optional<RowPredictions> predict(const Digest& model, const RawRows& rows);

 private:
  struct Model {
    Digest digest;
    std::shared_ptr<const ml::PreparedNetwork> network;
    std::mutex mutex;
    std::vector<std::unique_ptr<ml::Predictor>> idle;  // guarded by mutex
  };
  using Models = std::list<std::shared_ptr<Model>>;  // most recently used first
  [[nodiscard]] std::shared_ptr<Model> find(const Digest& model);
  [[nodiscard]] Models::iterator locate(const Digest& model);

  const std::uint64_t bytes_max_;
  std::mutex mutex_;
  Models models_;            // guarded by mutex_
  std::uint64_t bytes_ = 0;  // likewise
};

}  // namespace gradmill::node
