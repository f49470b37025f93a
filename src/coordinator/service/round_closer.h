// Closing rounds: average, validate.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/blob_cache.h"
#include "coordinator/core/scheduler.h"
#include "ml/train_shard.h"

namespace gradmill::coordinator {

/// Averages and validates, one round after the other. Keeps the validation samples of the job it
/// last worked for. For one thread.
class RoundCloser {
 public:
  explicit RoundCloser(BlobCache& blobs) : blobs_(blobs) {}

  /// The new weights and their validation error, or why the job cannot go on.
  [[nodiscard]] std::variant<ClosedRound, JobEnd> close(const CloseRound& round);

 private:
  void load_validation(const CloseRound& round);

  BlobCache& blobs_;
  std::string job_;
  std::vector<ml::Samples> validation_;
  std::uint64_t rows_ = 0;
};

}  // namespace gradmill::coordinator
