// The coordinator's registered models, for predictions.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "coordinator/service/coordinator.h"
#include "coordinator/service/prediction/model_source.h"

namespace gradmill::coordinator {

/// What predictions need of each version, made once.
class RegisteredModels final : public ModelSource {
 public:
  /// The coordinator must outlive it.
  explicit RegisteredModels(Coordinator& coordinator) : coordinator_(coordinator) {}

  [[nodiscard]] std::shared_ptr<const ServedModel> resolve(const std::string& reference) override;
  [[nodiscard]] Blob file(const BlobRef& ref) override { return coordinator_.get_blob(ref); }

 private:
  Coordinator& coordinator_;
  std::mutex mutex_;
  /// A key lives as long as its entry, so no other version has its address.
  std::map<std::shared_ptr<const ModelVersion>, std::shared_ptr<const ServedModel>> served_;
};

}  // namespace gradmill::coordinator
