#include "coordinator/service/statistics/model_recorders.h"

#include <algorithm>
#include <cstddef>

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kVersionsMax = 256;

}  // namespace

void ModelRecorders::add_request(const std::string& model,
                                 std::uint32_t version,
                                 const QueryTiming& timing,
                                 TimePoint now) {
  const std::lock_guard lock(mutex_);
  at(model, version, now).requests.add(timing, now);
}

void ModelRecorders::add_batch(const std::string& model,
                               std::uint32_t version,
                               const QueryTiming& timing,
                               TimePoint now) {
  const std::lock_guard lock(mutex_);
  at(model, version, now).batches.add(timing, now);
}

ModelStatistics ModelRecorders::statistics(const std::string& model,
                                           std::uint32_t version,
                                           TimePoint now) const {
  ModelStatistics all{.model = model, .version = version, .requests = {}, .batches = {}};
  const std::lock_guard lock(mutex_);
  if (const auto found = models_.find({model, version}); found != models_.end()) {
    all.requests = found->second.requests.statistics(now);
    all.batches = found->second.batches.statistics(now);
  }
  return all;
}

void ModelRecorders::forget(const std::string& model, std::uint32_t version) {
  const std::lock_guard lock(mutex_);
  models_.erase({model, version});
}

void ModelRecorders::forget(const std::string& model) {
  const std::lock_guard lock(mutex_);
  std::erase_if(models_, [&](const auto& one) { return one.first.first == model; });
}

ModelRecorders::Recorders& ModelRecorders::at(const std::string& model,
                                              std::uint32_t version,
                                              TimePoint now) {
  const Key key{model, version};
  auto found = models_.find(key);
  if (found == models_.end()) {
    if (models_.size() >= kVersionsMax) {
      models_.erase(std::min_element(models_.begin(), models_.end(), [](auto& one, auto& other) {
        return one.second.used_at < other.second.used_at;
      }));
    }
    found = models_.try_emplace(key).first;
  }
  found->second.used_at = now;
  return found->second;
}

}  // namespace gradmill::coordinator
