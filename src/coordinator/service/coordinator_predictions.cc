// What clients ask of prediction jobs.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/job_intake.h"

namespace gradmill::coordinator {
namespace {

/// The durable range that has this row.
const PredictedRange& range_of(const PredictionProgress& progress, std::uint64_t row) {
  const auto behind = std::upper_bound(
      progress.durable.begin(),
      progress.durable.end(),
      row,
      [](std::uint64_t one, const PredictedRange& range) { return one < range.first_row; });
  return *std::prev(behind);
}

/// Rows of a whole range, from `skipped` on.
RowPredictions part_of(const std::string& bytes,
                       std::uint64_t rows,
                       std::uint64_t skipped,
                       std::uint64_t count) {
  constexpr std::uint64_t kClass = sizeof(std::uint16_t);
  constexpr std::uint64_t kProbability = sizeof(float);
  return {
      .classes = bytes.substr(skipped * kClass, count * kClass),
      .probabilities = bytes.substr(rows * kClass + skipped * kProbability, count * kProbability),
      .compute_ns = 0};
}

}  // namespace

const PredictionProgress& Coordinator::prediction_at(const std::string& id) const {
  const Job& job = job_at(id);
  if (!job.prediction) {
    throw invalid_input("job '" + id + "' trains a model; it has no predictions");
  }
  return *job.prediction;
}

JobPredictions Coordinator::predictions(const std::string& id,
                                        std::uint64_t first_row,
                                        std::uint32_t rows_max,
                                        std::chrono::milliseconds wait) {
  JobPredictions found;
  found.first_row = first_row;
  PredictedRange range;
  {
    std::unique_lock lock(mutex_);
    const std::uint64_t rows = prediction_at(id).rows;
    if (first_row > rows) {
      throw invalid_input("job '" + id + "' has " + std::to_string(rows) + " rows");
    }
    changed_.wait_for(lock, wait, [&] {
      return stopping_ || has_ended(job_at(id).state) || prediction_at(id).rows_durable > first_row;
    });
    if (stopping_) {
      throw Error(ErrorCode::kUnavailable, "the coordinator is stopping");
    }
    const PredictionProgress& progress = prediction_at(id);
    if (progress.rows_durable <= first_row) {
      found.ended = has_ended(job_at(id).state);
      return found;
    }
    range = range_of(progress, first_row);
    found.ended =
        has_ended(job_at(id).state) && range.first_row + range.rows == progress.rows_durable;
  }
  const std::optional<Blob> blob = store_.predictions(id, range.first_row);
  if (!blob || blob->ref != range.predictions.ref) {
    throw Error(ErrorCode::kFailed,
                "the predictions of rows " + std::to_string(range.first_row + 1) + " to " +
                    std::to_string(range.first_row + range.rows) + " of job '" + id +
                    "' cannot be read any more; submit it again");
  }
  const std::uint64_t skipped = first_row - range.first_row;
  const std::uint64_t count = std::min<std::uint64_t>(rows_max, range.rows - skipped);
  found.rows = static_cast<std::uint32_t>(count);
  found.predictions = part_of(*blob->bytes, range.rows, skipped, count);
  found.ended = found.ended && skipped + count == range.rows;
  return found;
}

void Coordinator::set_batch_rows(const std::string& id, std::uint32_t batch_rows) {
  std::unique_lock lock = lock_running();
  static_cast<void>(prediction_at(id));
  const Job& job = job_at(id);
  if (has_ended(job.state) || job.move) {
    throw invalid_input("job '" + id + "' has ended or is about to change its state");
  }
  if (batch_rows == 0 || batch_rows > kBatchRowsMax) {
    throw invalid_input("a batch has 1 to " + std::to_string(kBatchRowsMax) + " rows");
  }
  for (std::size_t n = 0; n < job.shard_rows.size(); ++n) {
    const auto rows =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(batch_rows, job.shard_rows[n]));
    check_batch_bytes(rows, job.specification->shards[n].bytes / job.shard_rows[n]);
  }
  decide([&](TimePoint now) { return scheduler_.set_batch_rows(id, batch_rows, now); });
  tell_of_change();
  await_durable(lock);
}

}  // namespace gradmill::coordinator
