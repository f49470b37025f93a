#include "coordinator/service/model_keeper.h"

#include <exception>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/event_log.h"
#include "protocol/model_name.h"

namespace gradmill::coordinator {

void ModelKeeper::restore(std::vector<ModelVersion> versions, std::vector<ModelAliases> aliases) {
  for (ModelVersion& version : versions) {
    next_.restore(std::move(version));
  }
  for (ModelAliases& one : aliases) {
    next_.restore(std::move(one));
  }
  is_ahead_ = true;
  publish();
}

std::shared_ptr<const ModelVersion> ModelKeeper::resolve(std::string_view reference) const {
  const std::lock_guard lock(mutex_);
  return durable_.share(reference);
}

std::vector<ModelSummary> ModelKeeper::list() const {
  const std::lock_guard lock(mutex_);
  return durable_.list();
}

std::vector<ModelSummary> ModelKeeper::list(const std::string& model) const {
  const std::lock_guard lock(mutex_);
  return durable_.list(model);
}

ModelDetails ModelKeeper::details(std::string_view reference) const {
  const std::lock_guard lock(mutex_);
  return durable_.details(reference);
}

std::string ModelKeeper::registered(const std::string& model, const std::string& job) const {
  const std::lock_guard lock(mutex_);
  const std::optional<std::uint32_t> version = durable_.version_by(model, job);
  return version ? version_reference(model, *version) : "";
}

std::optional<Blob> ModelKeeper::file(const BlobRef& ref) {
  std::optional<ModelVersion> version;
  {
    const std::lock_guard lock(mutex_);
    const ModelVersion* const found = durable_.with_file(ref);
    if (found == nullptr) {
      return std::nullopt;
    }
    version = *found;
  }
  std::optional<Blob> file = store_.model(*version);
  if (!file) {
    throw Error(ErrorCode::kFailed,
                "the file of version " + std::to_string(version->version) + " of the model " +
                    version->model + " is damaged in the state folder");
  }
  return file;
}

void ModelKeeper::complete(
    std::vector<Record>& records,
    const std::function<std::optional<TrainedJob>(const std::string&)>& find) {
  for (std::size_t n = 0; n < records.size(); ++n) {
    const auto* const moved = std::get_if<JobMoved>(&records[n]);
    const bool is_registered =
        n + 1 < records.size() && std::holds_alternative<ModelAdded>(records[n + 1]);
    if (moved == nullptr || moved->state != JobState::kSucceeded || is_registered) {
      continue;
    }
    const std::string id = moved->job;
    std::vector<Record> added;
    try {
      if (const std::optional<TrainedJob> job = find(id)) {
        add(*job, moved->ended_ms, added);
      }
    } catch (const std::exception& error) {
      trainer_ = ml::Trainer(1);  // Out of memory, most likely.
      log_event({.level = LogLevel::kWarning,
                 .event = "model_not_registered",
                 .fields = {{"job", id}},
                 .message = error.what()});
    }
    records.insert(records.begin() + static_cast<std::ptrdiff_t>(n) + 1,
                   std::make_move_iterator(added.begin()),
                   std::make_move_iterator(added.end()));
  }
}

void ModelKeeper::add(const TrainedJob& job, std::int64_t now_ms, std::vector<Record>& records) {
  next_.check_room(job.model);
  ModelAdded added = version_of(job, now_ms, blobs_, trainer_);
  next_.add(added.version);
  is_ahead_ = true;
  const std::string model = added.version.model;
  log_event({.event = "model_registered",
             .fields = {{"job", job.job}},
             .message = version_reference(model, added.version.version)});
  records.emplace_back(std::move(added));
  records.emplace_back(next_.aliases(model));
}

void ModelKeeper::publish() {
  if (std::exchange(is_ahead_, false)) {
    const std::lock_guard lock(mutex_);
    durable_ = next_;
  }
}

void ModelKeeper::change(
    const std::function<std::vector<Record>(ModelRegistry& registry)>& change) {
  ModelRegistry changed = next_;
  const std::vector<Record> records = change(changed);
  if (!records.empty()) {
    store_.commit(records);
    next_ = std::move(changed);
    is_ahead_ = true;
    publish();
  }
}

}  // namespace gradmill::coordinator
