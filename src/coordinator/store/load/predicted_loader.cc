#include "coordinator/store/load/predicted_loader.h"

#include <algorithm>
#include <utility>

#include "coordinator/store/predicted_files.h"
#include "coordinator/store/texts/prediction_texts.h"

namespace gradmill::coordinator {
namespace {

PredictedRange named(PredictedRange range) {
  range.predictions.bytes.reset();
  return range;
}

std::string from_row(std::uint64_t row) {
  return row == 0 ? std::string("its start") : "row " + std::to_string(row);
}

/// Whether the row may be that of the range in the file.
bool agree(const PredictedRange& row, const PredictedRange& file) {
  return row.rows == file.rows && row.wrong == file.wrong &&
         row.predictions.ref == file.predictions.ref;
}

/// Whether the file of the range cannot be what it was, by its size alone: a start does not read
/// the predictions of jobs that have ended.
bool is_lost(const FoundJob& found, const PredictedRange& range) {
  const auto file = found.predicted.find(range.first_row);
  return range.predictions.ref.bytes == 0 || file == found.predicted.end() ||
         file->second < range.predictions.ref.bytes;
}

}  // namespace

bool PredictedLoader::is_behind(const FoundJob& found,
                                const Progress& progress,
                                std::uint64_t next) {
  return std::any_of(
      found.predicted.lower_bound(progress.predicted), found.predicted.end(), [&](const auto& one) {
        const auto file = read_predictions(found.path, found.number, one.first);
        return file && file->commit > next;
      });
}

std::uint64_t PredictedLoader::rebuild(const FoundJob& found,
                                       const Definition& definition,
                                       const std::optional<FromFile<Progress>>& state,
                                       Progress& progress) {
  Ranges& ranges = content_.predicted[definition.number];
  std::uint64_t newest = 0;
  if (has_ended(progress.state)) {
    for (const auto& [first_row, bytes] : found.predicted) {
      if (auto file = read_predictions(found.path, found.number, first_row)) {
        newest = std::max(newest, file->commit);
        ranges.emplace(first_row, named(std::move(file->value.range)));
      }
    }
    return newest;
  }
  std::uint64_t row = 0;
  while (auto file = read_predictions(found.path, found.number, row)) {
    newest = std::max(newest, file->commit);
    progress.tallies = std::move(file->value.progress.tallies);
    progress.batch_rows = file->value.progress.batch_rows;
    const std::uint64_t first_row = row;
    row = end_of(file->value.range);
    ranges.emplace(first_row, named(std::move(file->value.range)));
  }
  progress.predicted = row;
  if (state && state->commit >= newest) {
    progress.batch_rows = state->value.batch_rows;
  }
  if (found.predicted.lower_bound(row) != found.predicted.end()) {
    notes_.push_back("job " + definition.job + " goes on from " + from_row(row) +
                     ": its later predictions are damaged");
  }
  return newest;
}

bool PredictedLoader::recover(const FoundJob& found,
                              const Definition& definition,
                              Progress& progress,
                              StoredJob& job) {
  bool changed = false;
  if (has_ended(progress.state)) {
    list(found, definition, progress, job);
  } else {
    changed = go_back(found, definition, progress, job);
  }
  for (const PredictedRange& range : job.predicted) {
    kept_[definition.number].insert(range.first_row);
  }
  return changed;
}

bool PredictedLoader::go_back(const FoundJob& found,
                              const Definition& definition,
                              Progress& progress,
                              StoredJob& job) {
  const Ranges& rows = content_.predicted[definition.number];
  std::map<std::string, NodeTally> tallies;
  std::uint64_t row = 0;
  while (row < progress.predicted) {
    auto file = read_predictions(found.path, found.number, row);
    const auto known = rows.find(row);
    if (!file || end_of(file->value.range) > progress.predicted ||
        (known != rows.end() && !agree(known->second, file->value.range))) {
      break;
    }
    job.predicted.push_back(named(std::move(file->value.range)));
    if (known == rows.end()) {
      mended_.emplace_back(definition.number, job.predicted.back());
    }
    tallies = std::move(file->value.progress.tallies);
    row = end_of(job.predicted.back());
  }
  if (row == progress.predicted) {
    return false;
  }
  notes_.push_back("job " + definition.job + " goes on from " + from_row(row) + " instead of row " +
                   std::to_string(progress.predicted) + ": the predictions after that are damaged");
  progress.predicted = row;
  progress.tallies = std::move(tallies);
  trimmed_[definition.number] = row;
  return true;
}

void PredictedLoader::list(const FoundJob& found,
                           const Definition& definition,
                           const Progress& progress,
                           StoredJob& job) {
  std::uint64_t lost = 0;
  for (std::uint64_t row = 0; row < progress.predicted; row = end_of(job.predicted.back())) {
    job.predicted.push_back(find(found, progress, row));
    lost += is_lost(found, job.predicted.back()) ? job.predicted.back().rows : 0;
  }
  if (lost > 0) {
    notes_.push_back("the predictions of " + std::to_string(lost) + " rows of job " +
                     definition.job + " are damaged or missing and cannot be fetched");
  }
}

PredictedRange PredictedLoader::find(const FoundJob& found,
                                     const Progress& progress,
                                     std::uint64_t first_row) {
  const Ranges& rows = content_.predicted[found.number];
  const auto fits = [&](const PredictedRange& range) {
    return end_of(range) <= progress.predicted;
  };
  if (const auto known = rows.find(first_row); known != rows.end() && fits(known->second)) {
    return known->second;
  }
  PredictedRange range;
  auto file = read_predictions(found.path, found.number, first_row);
  if (file && fits(file->value.range)) {
    range = named(std::move(file->value.range));
  } else {
    std::uint64_t end = progress.predicted;
    if (const auto row = rows.upper_bound(first_row); row != rows.end()) {
      end = std::min(end, row->first);
    }
    if (const auto next = found.predicted.upper_bound(first_row); next != found.predicted.end()) {
      end = std::min(end, next->first);
    }
    range.first_row = first_row;
    range.rows = end - first_row;
  }
  mended_.emplace_back(found.number, range);
  return range;
}

void PredictedLoader::write_rows(Database& database,
                                 const LoadedState& loaded,
                                 bool rebuilt) const {
  for (const auto& [number, row] : trimmed_) {
    database.trim_predicted(number, row);
  }
  for (const auto& [number, range] : mended_) {
    database.put_predicted(number, range);
  }
  if (!rebuilt) {
    return;
  }
  for (const StoredJob& job : loaded.state.jobs) {
    const std::uint64_t number = loaded.index.jobs.at(job.job).definition->number;
    for (const PredictedRange& range : job.predicted) {
      database.put_predicted(number, range);
    }
  }
}

bool PredictedLoader::is_kept(std::uint64_t number, const std::string& name) const {
  const auto job = kept_.find(number);
  const auto first_row = first_row_in(name);
  return job != kept_.end() && first_row && job->second.contains(*first_row);
}

}  // namespace gradmill::coordinator
