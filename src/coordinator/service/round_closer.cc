#include "coordinator/service/round_closer.h"

#include <chrono>
#include <utility>

#include "coordinator/service/job_intake.h"
#include "ml/average.h"

namespace gradmill::coordinator {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

std::variant<ClosedRound, JobEnd> RoundCloser::close(const CloseRound& round) {
  const ml::TrainingRule& rule = round.specification->rule;
  ClosedRound closed;

  const Clock::time_point averaging = Clock::now();
  std::vector<ml::WeightedDelta> deltas;
  for (std::size_t shard = 0; shard < round.deltas.size(); ++shard) {
    deltas.push_back({*round.deltas[shard].bytes, round.rows[shard]});
  }
  std::string weights = ml::apply_average(*round.weights.bytes, deltas, rule.precision);
  if (!ml::all_finite(weights, rule.precision)) {
    return JobEnd{"diverged",
                  "the weights are no longer finite after round " + std::to_string(round.round) +
                      "; a smaller eta may help"};
  }
  closed.weights = make_blob(std::move(weights));
  closed.aggregate_seconds = seconds_since(averaging);

  const Clock::time_point validating = Clock::now();
  load_validation(round);
  std::uint64_t errors = 0;
  for (const ml::Samples& samples : validation_) {
    errors += ml::count_errors(rule, samples, *closed.weights.bytes, 1);
  }
  closed.validation_error = static_cast<double>(errors) / static_cast<double>(rows_);
  closed.validate_seconds = seconds_since(validating);
  return closed;
}

void RoundCloser::load_validation(const CloseRound& round) {
  if (job_ == round.job) {
    return;
  }
  validation_.clear();
  rows_ = 0;
  for (const BlobRef& ref : round.specification->validation) {
    const ml::Shard shard = pinned_shard(ref, blobs_);
    rows_ += shard.rows;
    validation_.push_back(ml::prepare_samples(shard, round.specification->rule));
  }
  job_ = round.job;
}

}  // namespace gradmill::coordinator
