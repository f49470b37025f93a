#include "coordinator/core/round/result_check.h"

#include <cmath>

#include "base/checksum.h"
#include "base/error.h"
#include "ml/server_optimizer.h"
#include "protocol/prediction.h"

namespace gradmill::coordinator {

namespace {

constexpr std::uint64_t kPredictionBytes = sizeof(std::uint16_t) + sizeof(float);

bool is_time(double seconds) { return seconds >= 0 && std::isfinite(seconds); }

std::optional<std::string> defect_of_delta(const TaskAnswer& answer,
                                           const std::string& delta,
                                           const TaskOffer& offer) {
  if (!ml::all_finite(delta, offer.job->rule.precision) || !std::isfinite(answer.loss)) {
    return "sent a delta that is not finite";
  }
  // One of the two is 0; a step is one pass over the shard at most.
  const std::uint64_t epochs_max =
      std::uint64_t{offer.job->rule.epochs} + offer.job->rule.steps_per_round;
  return answer.epochs <= epochs_max
             ? std::nullopt
             : std::optional<std::string>("sent a number of epochs that cannot be");
}

std::optional<std::string> defect_of_predictions(const std::string& bytes, const TaskOffer& offer) {
  const std::size_t of_classes = offer.rows->count * sizeof(std::uint16_t);
  try {
    check_predictions({.classes = bytes.substr(0, of_classes),
                       .probabilities = bytes.substr(of_classes),
                       .compute_ns = 0},
                      offer.rows->count,
                      static_cast<std::uint32_t>(offer.job->prediction->model.labels.size()));
  } catch (const Error& error) {
    return "sent predictions that cannot be: " + std::string(error.what());
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t result_bytes(const TaskOffer& offer) {
  return offer.rows ? offer.rows->count * kPredictionBytes : offer.weights.ref.bytes;
}

std::optional<std::string> defect_of_size(const TaskAnswer& answer, const TaskOffer& offer) {
  if (answer.delta.bytes == result_bytes(offer)) {
    return std::nullopt;
  }
  const std::string bytes = std::to_string(answer.delta.bytes) + " bytes; ";
  return offer.rows ? "sent predictions of " + bytes + std::to_string(offer.rows->count) +
                          " rows have " + std::to_string(result_bytes(offer))
                    : "sent a delta of " + bytes + "the weights have " +
                          std::to_string(result_bytes(offer));
}

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
  if (std::optional<std::string> defect = defect_of_size(answer, offer)) {
    return defect;
  }
  if (!is_time(answer.compute_seconds) || !is_time(answer.delay_seconds)) {
    return "sent times that cannot be";
  }
  return offer.rows ? defect_of_predictions(*delta.bytes, offer)
                    : defect_of_delta(answer, *delta.bytes, offer);
}

}  // namespace gradmill::coordinator
