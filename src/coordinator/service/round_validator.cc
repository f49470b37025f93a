#include "coordinator/service/round_validator.h"

#include <chrono>

#include "coordinator/service/job_intake.h"

namespace gradmill::coordinator {

RoundValidation RoundValidator::validate(const ValidateRound& round) {
  using Clock = std::chrono::steady_clock;
  if (!is_validated(*round.specification, round.round)) {
    return {};
  }
  const Clock::time_point start = Clock::now();
  std::uint64_t errors = 0;
  try {
    load(round);
    for (const ml::Samples& samples : samples_) {
      errors += trainer_.count_errors(round.specification->rule, samples, *round.weights.bytes);
    }
  } catch (...) {
    forget();  // Out of memory, most likely; others may need what is kept here.
    throw;
  }
  return {.error = static_cast<double>(errors) / static_cast<double>(rows_),
          .seconds = std::chrono::duration<double>(Clock::now() - start).count()};
}

void RoundValidator::forget() {
  specification_.reset();
  samples_.clear();
  rows_ = 0;
  trainer_ = ml::Trainer(1);
}

void RoundValidator::load(const ValidateRound& round) {
  if (specification_ == round.specification) {
    return;
  }
  specification_.reset();
  samples_.clear();
  rows_ = 0;
  for (const BlobRef& ref : round.specification->validation) {
    const ml::Shard shard = pinned_shard(ref, blobs_);
    rows_ += shard.rows;
    samples_.push_back(ml::prepare_samples(shard, round.specification->rule));
  }
  specification_ = round.specification;
}

}  // namespace gradmill::coordinator
