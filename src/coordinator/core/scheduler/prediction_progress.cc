// A prediction job from range to range.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::coordinator {
namespace {

constexpr std::uint64_t kRowBytes = sizeof(std::uint16_t) + sizeof(float);
// Predictions are saved so often, and more seldom as the job goes on, so that its files stay few
// while a crash costs little of the work.
constexpr std::chrono::milliseconds kSaveInterval{250};
constexpr int kSavesOfAllTime = 64;
// Or at once when they are so many.
constexpr std::uint64_t kSavedBytes = std::uint64_t{8} << 20U;
// What may be held in memory behind a batch that is late, if so many batches are enough for it.
constexpr std::uint64_t kHeldBytes = std::uint64_t{32} << 20U;
constexpr std::size_t kBatchesMin = 64;

Duration save_interval(const PredictionProgress& progress) {
  return std::max<Duration>(kSaveInterval,
                            (progress.saved_at - progress.begun_at) / kSavesOfAllTime);
}

/// Most batches that are not saved.
std::size_t window(const PredictionProgress& progress, std::size_t batches_ahead) {
  return std::min<std::size_t>(batches_ahead,
                               std::max(kBatchesMin, kHeldBytes / kRowBytes / progress.batch_rows));
}

/// Share of rows that are as labelled, in percent, for people.
std::string accuracy_in_words(const PredictionProgress& progress) {
  const std::uint64_t right = progress.rows_saved - progress.wrong_saved;
  const std::uint64_t hundredths = (right * 10'000 + progress.rows_saved / 2) / progress.rows_saved;
  const std::uint64_t fraction = hundredths % 100;
  return std::to_string(hundredths / 100) + (fraction < 10 ? ".0" : ".") +
         std::to_string(fraction) + " % are as they are labelled";
}

}  // namespace

PredictionProgress Scheduler::progress_from(const JobSpecification& specification,
                                            const std::vector<std::uint64_t>& shard_rows,
                                            const std::vector<PredictedRange>& predicted,
                                            std::uint32_t batch_rows) {
  PredictionProgress progress;
  progress.rows = std::accumulate(shard_rows.begin(), shard_rows.end(), std::uint64_t{0});
  progress.batch_rows = batch_rows > 0 ? batch_rows : specification.prediction->batch_rows;
  progress.durable = predicted;
  for (const PredictedRange& range : predicted) {
    GRADMILL_CHECK(range.first_row == progress.rows_durable);
    progress.rows_durable += range.rows;
    progress.wrong_durable += range.wrong;
  }
  GRADMILL_CHECK(progress.rows_durable <= progress.rows);
  progress.rows_saved = progress.rows_durable;
  progress.rows_in = progress.rows_durable;
  progress.rows_cut = progress.rows_durable;
  progress.wrong_saved = progress.wrong_durable;
  return progress;
}

void Scheduler::add_batches(Job& job, TimePoint now) {
  PredictionProgress& progress = *job.prediction;
  const std::size_t ahead = window(progress, options_.batches_ahead);
  const bool has_enough = job.round && (job.round->pending().size() > ahead / 4 ||
                                        progress.batches.size() > ahead - ahead / 4);
  if (job.move || has_enough || is_held_back(job, now) || progress.rows_cut == progress.rows) {
    return;
  }
  const std::vector<Batch> batches = cut_batches(
      job.shard_rows, progress.rows_cut, progress.batch_rows, ahead - progress.batches.size());
  for (const Batch& batch : batches) {
    progress.batches.push_back(batch);
    progress.rows_cut += batch.rows.count;
  }
  const bool had_none = !job.round || (job.round->pending().empty() && job.round->queued() == 0);
  if (job.round) {
    job.round->extend(batches.size(), now);
  } else {
    if (progress.rounds == 0) {
      progress.begun_at = now;
      progress.saved_at = now;
    }
    job.round.emplace(++progress.rounds, batches.size(), now, first_offer_of_round(job));
  }
  if (had_none) {
    shares_.arrived(job.number);
  }
}

void Scheduler::forget_batches(Job& job) const {
  if (job.prediction) {
    job.prediction->batches.clear();
    job.prediction->batches_saved = 0;
    job.prediction->batches_in = 0;
    job.prediction->rows_in = job.prediction->rows_saved;
    job.prediction->rows_cut = job.prediction->rows_saved;
    job.offers_before = job.last_offer;
  }
}

void Scheduler::save_predictions(Job& job, TimePoint now, Actions& actions) {
  if (!job.prediction || !job.round) {
    return;
  }
  PredictionProgress& progress = *job.prediction;
  const std::uint64_t rows = progress.rows_in - progress.rows_saved;
  if (rows == 0) {
    return;
  }
  PredictedRange range{
      .first_row = progress.rows_saved, .rows = rows, .wrong = 0, .predictions = {}};
  std::string classes;
  std::string probabilities;
  classes.reserve(rows * kRowBytes);
  probabilities.reserve(rows * sizeof(float));
  for (; progress.batches_saved < progress.batches_in; ++progress.batches_saved) {
    const TaskResult& result = job.round->task(progress.batches_saved).result;
    const std::string_view bytes = *result.delta.bytes;
    const std::size_t of_classes = progress.batches.front().rows.count * sizeof(std::uint16_t);
    progress.batches.pop_front();
    classes += bytes.substr(0, of_classes);
    probabilities += bytes.substr(of_classes);
    range.wrong += result.wrong;
  }
  job.round->forget_before(progress.batches_saved);
  range.predictions = make_blob(std::move(classes) + probabilities);
  progress.rows_saved += rows;
  progress.wrong_saved += range.wrong;
  progress.saved_at = now;
  if (!job.unsaved_since) {
    job.unsaved_since = now;
  }
  const std::uint64_t ticket = save(RowsPredicted{job.id, range, tallies(job)}, actions);
  range.predictions.bytes.reset();
  unsaved_.push_back({ticket, job.id, std::nullopt, now, std::move(range)});
}

void Scheduler::save_predictions_if_due(Job& job, TimePoint now, Actions& actions) {
  if (!job.prediction || !job.round) {
    return;
  }
  PredictionProgress& progress = *job.prediction;
  while (progress.batches_in < job.round->size() &&
         job.round->task(progress.batches_in).place == Round::Place::kDone) {
    progress.rows_in += progress.batch(progress.batches_in).rows.count;
    ++progress.batches_in;
  }
  const bool is_window_full =
      progress.batches_in - progress.batches_saved >= window(progress, options_.batches_ahead) / 2;
  const bool is_over = job.round->complete();
  const bool is_time = !job.unsaved_since && now - progress.saved_at >= save_interval(progress);
  if (is_over || is_window_full || is_time ||
      (progress.rows_in - progress.rows_saved) * kRowBytes >= kSavedBytes) {
    save_predictions(job, now, actions);
    end_if_all_predicted(job, now, actions);
  }
}

std::optional<TimePoint> Scheduler::next_save_of_predictions(const Job& job) const {
  if (!job.prediction || job.unsaved_since ||
      job.prediction->rows_in == job.prediction->rows_saved) {
    return std::nullopt;
  }
  return job.prediction->saved_at + save_interval(*job.prediction);
}

void Scheduler::finish_range(Job& job, PredictedRange range) {
  PredictionProgress& progress = *job.prediction;
  GRADMILL_CHECK(range.first_row == progress.rows_durable);
  progress.rows_durable += range.rows;
  progress.wrong_durable += range.wrong;
  progress.durable.push_back(std::move(range));
  const auto next = std::find_if(unsaved_.begin(), unsaved_.end(), [&](const Pending& pending) {
    return pending.job == job.id && pending.range &&
           pending.range->first_row >= progress.rows_durable;
  });
  job.unsaved_since = next == unsaved_.end() ? std::nullopt : std::optional(next->since);
}

void Scheduler::end_if_all_predicted(Job& job, TimePoint now, Actions& actions) {
  const PredictionProgress& progress = *job.prediction;
  if (progress.rows_saved < progress.rows) {
    return;
  }
  std::string message = "all " + std::to_string(progress.rows) + " rows are predicted";
  if (job.specification->prediction->labelled) {
    message += "; " + accuracy_in_words(progress);
  }
  begin_move(job, {JobState::kSucceeded, {"succeeded", message}}, now, actions);
}

Actions Scheduler::set_batch_rows(const std::string& id, std::uint32_t batch_rows, TimePoint now) {
  Actions actions;
  Job* const job = jobs_.find(id);
  GRADMILL_CHECK(job != nullptr && job->prediction && batch_rows > 0);
  PredictionProgress& progress = *job->prediction;
  if (progress.batch_rows != batch_rows) {
    progress.batch_rows = batch_rows;
    ++job->version;
    save(BatchSizeChanged{id, batch_rows}, actions);
    if (job->round) {
      reclaim_batches(*job);
    }
  }
  dispatch(now, actions);
  return actions;
}

void Scheduler::reclaim_batches(Job& job) {
  nodes_.drop_queued(job.number);
  for (std::uint32_t batch = job.round->first(); batch < job.round->size(); ++batch) {
    if (job.round->task(batch).place == Round::Place::kQueued) {
      job.round->unqueue(batch);
    }
  }
  job.round->cut_untouched();
  PredictionProgress& progress = *job.prediction;
  while (progress.batches_saved + progress.batches.size() > job.round->size()) {
    progress.rows_cut -= progress.batches.back().rows.count;
    progress.batches.pop_back();
  }
}

void Scheduler::check_prediction(const Job& job) const {
  const PredictionProgress& progress = *job.prediction;
  GRADMILL_CHECK(progress.rows_durable <= progress.rows_saved &&
                 progress.rows_saved <= progress.rows);
  GRADMILL_CHECK(job.unsaved_since.has_value() == (progress.rows_durable < progress.rows_saved));
  GRADMILL_CHECK(!job.round || !job.move);
  GRADMILL_CHECK(progress.rows_saved <= progress.rows_in && progress.rows_in <= progress.rows_cut &&
                 progress.rows_cut <= progress.rows);
  GRADMILL_CHECK(progress.batches.size() <= options_.batches_ahead);
  GRADMILL_CHECK(progress.batches_saved <= progress.batches_in);
  if (job.round) {
    GRADMILL_CHECK(progress.batches_in <= job.round->size());
    GRADMILL_CHECK(job.round->first() == progress.batches_saved);
    GRADMILL_CHECK(job.round->size() == progress.batches_saved + progress.batches.size());
    job.round->check_invariants();
    job.round->check_invariants(job.id, job.number, nodes_);
  }
}

}  // namespace gradmill::coordinator
