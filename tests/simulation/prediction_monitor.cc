#include "simulation/prediction_monitor.h"

#include <string>

#include "simulation/arithmetic.h"
#include "simulation/violation.h"

namespace gradmill::simulation {
namespace {

/// What rows of a job are predicted as, directly.
Blob expected_of(const JobPlan& job, std::uint64_t first_row, std::uint64_t rows) {
  const Digest digest = job_digest(*job.specification);
  std::string classes;
  std::string probabilities;
  std::uint64_t row = 0;  // the first one of the shard
  for (std::uint32_t shard = 0; shard < job.rows.size(); ++shard) {
    for (std::uint64_t n = 0; n < job.rows[shard]; ++n, ++row) {
      if (row >= first_row && row < first_row + rows) {
        const Blob one = predictions_of(digest, shard, {n, 1});
        classes += one.bytes->substr(0, sizeof(std::uint16_t));
        probabilities += one.bytes->substr(sizeof(std::uint16_t));
      }
    }
  }
  return named(classes + probabilities);
}

}  // namespace

void PredictionMonitor::saves(const coordinator::RowsPredicted& record, const JobPlan& job) const {
  const coordinator::PredictedRange& range = record.range;
  const Blob expected = expected_of(job, range.first_row, range.rows);
  const bool is_right = *range.predictions.bytes == *expected.bytes &&
                        range.wrong == wrong_in(expected, static_cast<std::uint32_t>(range.rows));
  if (!plan_.has_broken_node && !is_right) {
    throw Violation("rows_right",
                    "rows from " + std::to_string(range.first_row) + " of " + record.job +
                        " are saved, and are not what they should be");
  }
}

void PredictionMonitor::ends(const coordinator::Job& job) {
  counts_.add(Tally::kJobs);
  const coordinator::PredictionProgress& progress = *job.prediction;
  if (progress.rows_durable != progress.rows_saved) {
    throw Violation("all_rows", job.id + " ends before its rows are durable");
  }
  if (job.state != JobState::kSucceeded) {
    counts_.add(job.state == JobState::kCancelled ? Tally::kCancelled : Tally::kFailed);
    return;
  }
  counts_.add(Tally::kSucceeded);
  if (progress.rows_durable != progress.rows) {
    throw Violation("all_rows",
                    job.id + " succeeds with " + std::to_string(progress.rows_durable) + " of " +
                        std::to_string(progress.rows) + " rows");
  }
  counts_.add(Tally::kRowsPredicted, progress.rows);
}

}  // namespace gradmill::simulation
