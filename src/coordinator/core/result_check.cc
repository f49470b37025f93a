#include "coordinator/core/result_check.h"

#include <cmath>

#include "base/checksum.h"
#include "ml/server_optimizer.h"

namespace gradmill::coordinator {

std::optional<std::string> defect_of(const TaskAnswer& answer,
                                     const Blob& delta,
                                     const TaskOffer& offer) {
  if (answer.task != offer.id) {
    return "answered another offer than it was sent";
  }
  if (answer.weights != offer.weights.ref.digest) {
    return "started from other weights than it was sent";
  }
  const bool is_inline = answer.delta_bytes != nullptr;
  if (is_inline ? checksum(*delta.bytes) != answer.delta_checksum : delta.ref != answer.delta) {
    return "sent a delta that is not the one it announced";
  }
  if (delta.ref.bytes != offer.weights.ref.bytes) {
    return "sent a delta of " + std::to_string(delta.ref.bytes) + " bytes; the weights have " +
           std::to_string(offer.weights.ref.bytes);
  }
  if (!ml::all_finite(*delta.bytes, offer.job->rule.precision) || !std::isfinite(answer.loss)) {
    return "sent a delta that is not finite";
  }
  const bool timed = answer.compute_seconds >= 0 && answer.delay_seconds >= 0 &&
                     std::isfinite(answer.compute_seconds) && std::isfinite(answer.delay_seconds);
  // One of the two is 0; a step is one pass over the shard at most.
  const std::uint64_t epochs_max =
      std::uint64_t{offer.job->rule.epochs} + offer.job->rule.steps_per_round;
  if (!timed || answer.epochs > epochs_max) {
    return "sent times or a number of epochs that cannot be";
  }
  return std::nullopt;
}

}  // namespace gradmill::coordinator
