// What clients ask about models.
#include <chrono>
#include <utility>

#include "base/error.h"
#include "coordinator/service/coordinator.h"
#include "protocol/model_name.h"

namespace gradmill::coordinator {
namespace {

std::int64_t wall_now_ms() {
  using std::chrono::milliseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(wall).count();
}

}  // namespace

std::optional<TrainedJob> Coordinator::trained_job(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Job* const job = scheduler_.find(id);
  if (job == nullptr || job->model.empty() || job->validated.result().bytes == nullptr) {
    return std::nullopt;
  }
  const Checkpoint& last = job->validated;
  TrainedJob trained;
  trained.job = id;
  trained.model = job->model;
  trained.specification = job->specification;
  trained.round = last.best_round > 0 ? last.best_round : last.round;
  trained.weights = last.result();
  const auto note = [&](const RoundReport& report) {
    if (report.validation_error) {
      trained.errors.push_back({report.round, *report.validation_error});
    }
  };
  for (const RoundReport& report : job->finished) {
    note(report);
  }
  for (const AdvancedRound& round : job->advanced) {
    note(round.report);
  }
  return trained;
}

std::shared_ptr<const ModelVersion> Coordinator::resolve_model(std::string_view reference) {
  return models_.resolve(reference);
}

std::vector<ModelSummary> Coordinator::models() { return models_.list(); }

std::vector<ModelSummary> Coordinator::versions(const std::string& model) {
  return models_.list(model);
}

std::string Coordinator::registered(const Job& job) const {
  const bool is_registered = job.state == JobState::kSucceeded && !job.model.empty();
  return is_registered ? models_.registered(job.model, job.id) : "";
}

ModelDetails Coordinator::model(std::string_view reference) { return models_.details(reference); }

void Coordinator::change_models(
    const std::function<std::vector<Record>(ModelRegistry& registry)>& change) {
  journal_.run([&] {
    check_store();  // What waits to be durable comes before.
    models_.change(change);
  });
}

ModelVersion Coordinator::import_model(const std::string& model, const BlobRef& file) {
  check_model_name(model);
  const std::optional<Blob> blob = blobs_.find(file.digest);
  if (!blob || blob->ref != file) {
    throw Error(ErrorCode::kUnavailable, "the model file is not (or no longer) here; put it first");
  }
  ModelAdded added = imported_version(model, *blob, wall_now_ms());
  change_models([&](ModelRegistry& registry) -> std::vector<Record> {
    if (const ModelVersion* const there = registry.with_file(model, file)) {
      added.version = *there;
      return {};
    }
    registry.add(added.version);
    return {added, registry.aliases(model)};
  });
  return added.version;
}

std::optional<AliasMove> Coordinator::promote_model(const std::string& reference,
                                                    const std::string& alias,
                                                    bool force) {
  std::optional<AliasMove> move;
  change_models([&](ModelRegistry& registry) -> std::vector<Record> {
    const std::string model = registry.resolve(reference).model;
    move = registry.promote(reference, alias, force, wall_now_ms());
    return move ? std::vector<Record>{registry.aliases(model)} : std::vector<Record>{};
  });
  return move;
}

AliasMove Coordinator::roll_back_model(const std::string& model,
                                       const std::string& alias,
                                       std::uint32_t from) {
  AliasMove move;
  change_models([&](ModelRegistry& registry) -> std::vector<Record> {
    const std::vector<AliasMove> history = registry.aliases(model).history;
    if (!history.empty() && history.back().change == AliasChange::kRolledBack &&
        history.back().alias == alias && history.back().from == from) {
      move = history.back();
      return {};
    }
    move = registry.roll_back(model, alias, from, wall_now_ms());
    return {registry.aliases(model)};
  });
  return move;
}

void Coordinator::delete_version(const std::string& model, std::uint32_t version) {
  change_models([&](ModelRegistry& registry) -> std::vector<Record> {
    registry.remove_version(model, version, wall_now_ms());
    return {ModelRemoved{model, version}, registry.aliases(model)};
  });
  model_recorders_.forget(model, version);
}

void Coordinator::delete_model(const std::string& model) {
  change_models([&](ModelRegistry& registry) -> std::vector<Record> {
    registry.remove_model(model);
    return {ModelRemoved{model}};
  });
  model_recorders_.forget(model);
}

}  // namespace gradmill::coordinator
