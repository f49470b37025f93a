#include "coordinator/core/result_check.h"

#include <cmath>

#include "ml/average.h"

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
  if (delta.ref != answer.delta) {
    return "sent a delta whose digest is not the one it announced";
  }
  if (delta.ref.bytes != offer.weights.ref.bytes) {
    return "sent a delta of " + std::to_string(delta.ref.bytes) + " bytes; the weights have " +
           std::to_string(offer.weights.ref.bytes);
  }
  if (!ml::all_finite(*delta.bytes, offer.job->rule.precision) || !std::isfinite(answer.loss)) {
    return "sent a delta that is not finite (a smaller eta may help)";
  }
  const bool timed = answer.compute_seconds >= 0 && answer.delay_seconds >= 0 &&
                     std::isfinite(answer.compute_seconds) && std::isfinite(answer.delay_seconds);
  if (!timed || answer.epochs > offer.job->rule.epochs) {
    return "sent times or a number of epochs that cannot be";
  }
  return std::nullopt;
}

}  // namespace gradmill::coordinator
