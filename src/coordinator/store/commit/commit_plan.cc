#include "coordinator/store/commit/commit_plan.h"

#include <utility>
#include <variant>

#include "coordinator/store/texts/prediction_texts.h"

namespace gradmill::coordinator {
namespace {

Progress progress_at(Progress progress, const Checkpoint& checkpoint) {
  progress.round = checkpoint.round;
  progress.weights = checkpoint.weights.ref;
  progress.best_round = checkpoint.best_round;
  progress.best_error = checkpoint.best_error;
  progress.best_weights = checkpoint.best_round > 0 ? checkpoint.best_weights.ref : BlobRef{};
  progress.exact = checkpoint.exact;
  return progress;
}

}  // namespace

CommitPlan::CommitPlan(const StatePaths& paths, const StoreIndex& index)
    : paths_(paths),
      index_(index),
      commit_(index.commits + 1),
      next_number_(index.next_number),
      models_(paths, index) {}

void CommitPlan::add(const Record& record) {
  std::visit([&](const auto& one) { apply(one); }, record);
}

CommitPlan::Touched* CommitPlan::find(const std::string& job) {
  const auto touched = touched_.find(job);
  if (touched != touched_.end()) {
    return touched->second ? &*touched->second : nullptr;
  }
  const auto stored = index_.jobs.find(job);
  if (stored == index_.jobs.end()) {
    return nullptr;
  }
  auto& added = touched_[job];
  added.emplace();
  added->entry = stored->second;
  return &*added;
}

void CommitPlan::apply(const JobAdded& record) {
  if (find(record.job) != nullptr) {
    return;
  }
  Touched touched;
  const Definition definition{next_number_++,
                              record.job,
                              record.specification,
                              record.shard_rows,
                              record.submitted_ms,
                              record.share,
                              record.model};
  touched.entry.definition = std::make_shared<const Definition>(definition);
  touched.added = &record;
  touched.definition_text = text_of(definition);
  Checkpoint& checkpoint = touched.checkpoint.emplace();
  checkpoint.weights = record.weights;
  checkpoint.server = std::make_shared<const ml::ServerState>();
  touched.entry.progress = progress_at({}, checkpoint);
  rows_.emplace_back([definition, text = touched.definition_text](Database& database) {
    database.put_job(definition, text);
  });
  touched_[record.job] = std::move(touched);
}

void CommitPlan::apply(const RoundFinished& record) {
  Touched* touched = find(record.job);
  if (touched == nullptr) {
    return;
  }
  rows_.emplace_back([number = touched->entry.definition->number, &record](Database& database) {
    database.put_round(number, record.report);
  });
  if (record.checkpoint.round > touched->entry.progress.round) {
    touched->checkpoint = record.checkpoint;
    touched->entry.progress = progress_at(touched->entry.progress, record.checkpoint);
    touched->entry.progress.tallies = record.tallies;
  }
}

void CommitPlan::apply(const RowsPredicted& record) {
  Touched* touched = find(record.job);
  if (touched == nullptr || !touched->entry.definition->specification->prediction ||
      record.range.first_row != touched->entry.progress.predicted) {
    return;
  }
  Progress& progress = touched->entry.progress;
  progress.predicted = end_of(record.range);
  progress.tallies = record.tallies;
  touched->predicted.push_back({record.range, progress});
  rows_.emplace_back([number = touched->entry.definition->number, &record](Database& database) {
    database.put_predicted(number, record.range);
  });
}

void CommitPlan::apply(const BatchSizeChanged& record) {
  Touched* touched = find(record.job);
  if (touched == nullptr) {
    return;
  }
  touched->moved = true;
  touched->entry.progress.batch_rows = record.batch_rows;
}

void CommitPlan::apply(const JobMoved& record) {
  Touched* touched = find(record.job);
  if (touched == nullptr) {
    return;
  }
  touched->moved = true;
  Progress& progress = touched->entry.progress;
  progress.state = record.state;
  progress.end = record.end;
  progress.ended_ms = record.ended_ms;
  progress.tallies = record.tallies;
  progress.statistics = record.statistics;
}

void CommitPlan::apply(const JobRemoved& record) {
  const Touched* touched = find(record.job);
  if (touched == nullptr) {
    return;
  }
  const Definition& definition = *touched->entry.definition;
  rows_.emplace_back(
      [number = definition.number](Database& database) { database.remove_job(number); });
  removed_.push_back(definition);
  touched_[record.job] = std::nullopt;
}

void CommitPlan::apply(const JobLogged& record) {
  const Touched* touched = find(record.job);
  if (touched == nullptr) {
    return;
  }
  rows_.emplace_back([number = touched->entry.definition->number, &record](Database& database) {
    database.put_event(number, record.event);
  });
}

void CommitPlan::apply(const NodeAdded& record) {
  rows_.emplace_back([&record](Database& database) {
    database.put_node({.address = record.address, .source = record.source});
  });
}

void CommitPlan::apply(const NodeRemoved& record) {
  rows_.emplace_back([&record](Database& database) { database.remove_node(record.address); });
}

void CommitPlan::apply(const NodeTakenOut& record) {
  rows_.emplace_back([&record](Database& database) {
    database.put_node(
        {.address = record.address, .taken_out = true, .incarnation = record.incarnation});
  });
}

void CommitPlan::apply(const SchedulingSet& record) {
  rows_.emplace_back([mode = record.mode](Database& database) {
    database.put_meta("scheduling", std::string(name_of(mode)));
  });
}

void CommitPlan::gather_files(FileBatch& batch) {
  for (const auto& [job, touched] : touched_) {
    if (touched) {
      gather_job(batch, *touched);
    }
  }
  models_.gather_files(batch, commit_);
}

void CommitPlan::gather_job(FileBatch& batch, const Touched& touched) const {
  const Definition& definition = *touched.entry.definition;
  const std::string folder = paths_.job_folder(definition);
  if (touched.added != nullptr) {
    batch.make_folder(folder);
    batch.add(definition_path(folder), definition_file(commit_, touched.definition_text));
    batch.sync_folder(paths_.shards());
    for (const Blob& blob : touched.added->blobs) {
      // One that is there may be damaged.
      const std::string path = paths_.shard(blob.ref.digest);
      const auto there = read_if_there(path, blob.ref.bytes);
      if (!there || *there != *blob.bytes) {
        FileContent content;
        content.parts.emplace_back(*blob.bytes);
        batch.add(path, std::move(content));
      }
    }
  }
  if (touched.checkpoint) {
    batch.add(
        weights_path(folder, touched.checkpoint->round),
        weights_file(commit_, definition.number, touched.entry.progress, *touched.checkpoint));
  }
  for (const PredictedAt& predicted : touched.predicted) {
    batch.add(predictions_path(folder, predicted.range.first_row),
              predictions_file(commit_, definition.number, predicted));
  }
  if (touched.moved) {
    batch.add(state_path(folder), state_file(commit_, definition.number, touched.entry.progress));
  }
}

void CommitPlan::write_rows(Database& database) const {
  for (const auto& change : rows_) {
    change(database);
  }
  models_.write_rows(database);
  for (const auto& [job, touched] : touched_) {
    if (touched && (touched->added != nullptr || touched->moved || touched->checkpoint ||
                    !touched->predicted.empty())) {
      database.put_progress(touched->entry.definition->number, text_of(touched->entry.progress));
    }
  }
  database.put_meta("commits", std::to_string(commit_));
  if (next_number_ != index_.next_number) {
    database.put_meta("number", std::to_string(next_number_));
  }
}

void CommitPlan::update(StoreIndex& index) const {
  index.commits = commit_;
  index.next_number = next_number_;
  models_.update(index);
  for (const auto& [job, touched] : touched_) {
    if (touched) {
      index.jobs[job] = touched->entry;
    } else {
      index.jobs.erase(job);
    }
  }
  for (const Definition& definition : removed_) {
    index.generations.erase(definition.number);
  }
}

std::map<std::uint64_t, std::uint32_t> CommitPlan::generations() const {
  std::map<std::uint64_t, std::uint32_t> rounds;
  for (const auto& [job, touched] : touched_) {
    if (touched && touched->checkpoint) {
      rounds.emplace(touched->entry.definition->number, touched->checkpoint->round);
    }
  }
  return rounds;
}

}  // namespace gradmill::coordinator
