#include "coordinator/service/prediction/registered_models.h"

#include <utility>

namespace gradmill::coordinator {
namespace {

// Versions in use are few; those that are no longer asked for go with all others.
constexpr std::size_t kServedMax = 256;

ServedModel served_of(const ModelVersion& version) {
  return {.model = version.model,
          .version = version.version,
          .file = version.file,
          .features = version.topology.features(),
          .labels = version.labels};
}

}  // namespace

std::shared_ptr<const ServedModel> RegisteredModels::resolve(const std::string& reference) {
  std::shared_ptr<const ModelVersion> version = coordinator_.resolve_model(reference);
  const std::lock_guard lock(mutex_);
  if (const auto found = served_.find(version); found != served_.end()) {
    return found->second;
  }
  if (served_.size() >= kServedMax) {
    served_.clear();
  }
  auto served = std::make_shared<const ServedModel>(served_of(*version));
  served_.emplace(std::move(version), served);
  return served;
}

}  // namespace gradmill::coordinator
