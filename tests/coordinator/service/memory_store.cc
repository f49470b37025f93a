#include "coordinator/service/memory_store.h"

#include <algorithm>
#include <variant>

#include "base/error.h"

namespace gradmill::coordinator {

void MemoryStore::lose_blobs() {
  const std::lock_guard lock(mutex_);
  blobs_.clear();
}

void MemoryStore::lose_blob(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  blobs_.erase(digest);
}

StoredState MemoryStore::load() {
  const std::lock_guard lock(mutex_);
  StoredState state;
  state.coordinator = "in memory";
  state.epoch = ++epoch_;
  state.jobs.assign(jobs_.begin(), jobs_.end());
  for (StoredJob& job : state.jobs) {
    for (RoundReport& round : job.rounds) {
      round.tasks.clear();
      job.validation_error = round.validation_error ? round.validation_error : job.validation_error;
    }
    for (PredictedRange& range : job.predicted) {
      range.predictions.bytes.reset();
    }
    if (has_ended(job.state)) {
      job.rounds.clear();
    }
  }
  state.nodes = nodes_;
  state.scheduling = scheduling_;
  for (const ModelAdded& model : models_) {
    state.models.push_back(model.version);
  }
  for (const auto& [model, aliases] : aliases_) {
    state.aliases.push_back(aliases);
  }
  return state;
}

void MemoryStore::commit(std::span<const Record> records) {
  const bool is_removal = records.size() == 1 && std::holds_alternative<JobRemoved>(records[0]);
  if (full && (!is_removal || without_reserve)) {
    throw Error(ErrorCode::kFailed, "the state folder: No space left on device");
  }
  const std::lock_guard lock(mutex_);
  for (const Record& record : records) {
    std::visit([this](const auto& one) { keep(one); }, record);
  }
}

StoredJob* MemoryStore::find(const std::string& job) {
  const auto found = std::find_if(
      jobs_.begin(), jobs_.end(), [&](const StoredJob& one) { return one.job == job; });
  return found == jobs_.end() ? nullptr : &*found;
}

void MemoryStore::keep(const JobAdded& record) {
  StoredJob& job = jobs_.emplace_back();
  job.job = record.job;
  job.specification = record.specification;
  job.shard_rows = record.shard_rows;
  job.submitted_ms = record.submitted_ms;
  job.share = record.share;
  job.model = record.model;
  job.checkpoint.weights = record.weights;
  job.checkpoint.server = std::make_shared<const ml::ServerState>();
  for (const Blob& blob : record.blobs) {
    blobs_[blob.ref.digest] = blob;
  }
}

void MemoryStore::keep(const RoundFinished& record) {
  StoredJob& job = *find(record.job);
  job.checkpoint = record.checkpoint;
  job.rounds.push_back(record.report);
  job.tallies = record.tallies;
}

void MemoryStore::keep(const RowsPredicted& record) {
  StoredJob& job = *find(record.job);
  const std::uint64_t next =
      job.predicted.empty() ? 0 : job.predicted.back().first_row + job.predicted.back().rows;
  if (record.range.first_row == next) {
    job.predicted.push_back(record.range);
    job.tallies = record.tallies;
  }
}

void MemoryStore::keep(const BatchSizeChanged& record) {
  find(record.job)->batch_rows = record.batch_rows;
}

void MemoryStore::keep(const JobMoved& record) {
  StoredJob& job = *find(record.job);
  job.state = record.state;
  job.end = record.end;
  job.ended_ms = record.ended_ms;
  job.tallies = record.tallies;
  job.statistics = record.statistics;
}

void MemoryStore::keep(const JobRemoved& record) {
  std::erase_if(jobs_, [&](const StoredJob& one) { return one.job == record.job; });
  events_.erase(record.job);
}

void MemoryStore::keep(const JobLogged& record) { events_[record.job].push_back(record.event); }

void MemoryStore::keep(const NodeAdded& record) {
  keep(NodeRemoved{record.address});
  nodes_.push_back({record.address, record.source});
}

void MemoryStore::keep(const NodeTakenOut& record) {
  keep(NodeRemoved{record.address});
  nodes_.push_back(
      {.address = record.address, .taken_out = true, .incarnation = record.incarnation});
}

void MemoryStore::keep(const NodeRemoved& record) {
  std::erase_if(nodes_, [&](const StoredNode& one) { return one.address == record.address; });
}

void MemoryStore::keep(const ModelAdded& record) { models_.push_back(record); }

void MemoryStore::keep(const ModelAliases& record) { aliases_[record.model] = record; }

void MemoryStore::keep(const ModelRemoved& record) {
  std::erase_if(models_, [&](const ModelAdded& one) {
    return one.version.model == record.model &&
           (record.version == 0 || one.version.version == record.version);
  });
  if (record.version == 0) {
    aliases_.erase(record.model);
  }
}

void MemoryStore::check_room(std::span<const BlobRef> /*blobs*/) {
  if (full) {
    throw Error(ErrorCode::kFailed, "the state folder: No space left on device");
  }
}

std::optional<Blob> MemoryStore::blob(const BlobRef& ref) {
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(ref.digest);
  return found == blobs_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Blob> MemoryStore::weights(const std::string& job) {
  const std::lock_guard lock(mutex_);
  const StoredJob* const stored = find(job);
  return stored == nullptr ? std::nullopt : std::optional(stored->checkpoint.result());
}

std::optional<Blob> MemoryStore::predictions(const std::string& job, std::uint64_t first_row) {
  const std::lock_guard lock(mutex_);
  if (const StoredJob* const stored = find(job)) {
    for (const PredictedRange& range : stored->predicted) {
      if (range.first_row == first_row) {
        return range.predictions;
      }
    }
  }
  return std::nullopt;
}

std::optional<Blob> MemoryStore::model(const ModelVersion& version) {
  const std::lock_guard lock(mutex_);
  for (const ModelAdded& one : models_) {
    if (one.version == version) {
      return one.file;
    }
  }
  return std::nullopt;
}

std::vector<RoundReport> MemoryStore::rounds(const std::string& job,
                                             std::uint32_t after,
                                             std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  const std::vector<RoundReport>& all = find(job)->rounds;
  const std::size_t begin = std::min<std::size_t>(after, all.size());
  const std::size_t end = std::min<std::size_t>(begin + limit, all.size());
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::vector<JobEvent> MemoryStore::events(const std::string& job,
                                          std::uint64_t after,
                                          std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<JobEvent> found;
  for (const JobEvent& event : events_[job]) {
    if (event.sequence > after && found.size() < limit) {
      found.push_back(event);
    }
  }
  return found;
}

Garbage MemoryStore::collect(std::span<const std::string> jobs, bool /*dry_run*/) {
  Garbage garbage;
  for (const std::string& job : jobs) {
    garbage.files.push_back("jobs/" + job);
  }
  return garbage;
}

}  // namespace gradmill::coordinator
