// Validating rounds: the share of validation rows that a round's weights get wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/blob_cache.h"
#include "coordinator/core/scheduler/scheduler.h"
#include "ml/trainer.h"

namespace gradmill::coordinator {

/// Validates one round after the other. Keeps the validation samples of the job it last worked
/// for. For one thread.
class RoundValidator {
 public:
  explicit RoundValidator(BlobCache& blobs) : blobs_(blobs) {}

  [[nodiscard]] RoundValidation validate(const ValidateRound& round);

 private:
  void load(const ValidateRound& round);
  void forget();

  BlobCache& blobs_;
  ml::Trainer trainer_{1};
  std::shared_ptr<const JobSpecification> specification_;  // whose samples these are
  std::vector<ml::Samples> samples_;
  std::uint64_t rows_ = 0;
};

}  // namespace gradmill::coordinator
