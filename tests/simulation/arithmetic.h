// Training without training: cheap functions that depend on all that real training depends on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/blob.h"
#include "coordinator/core/record.h"
#include "coordinator/core/scheduler/scheduler.h"

namespace gradmill::simulation {

/// The name of some bytes; not their SHA-256, which would take most of a history's time.
[[nodiscard]] Blob named(std::string bytes);
/// A blob of eight bytes.
[[nodiscard]] Blob number_blob(std::uint64_t number);

/// What a task gives.
[[nodiscard]] Blob delta_of(const Digest& job,
                            std::uint32_t round,
                            std::uint32_t shard,
                            const Blob& weights);
/// What a batch of a prediction job gives: classes and probabilities, as PredictedRange has them.
[[nodiscard]] Blob predictions_of(const Digest& job,
                                  std::uint32_t shard,
                                  const coordinator::RowRange& rows);
/// How many of them are not as labelled.
[[nodiscard]] std::uint32_t wrong_in(const Blob& predictions, std::uint32_t rows);
/// The server's step; depends on the order of the deltas, and on the server's memory.
[[nodiscard]] coordinator::RoundStep step_of(const Blob& weights,
                                             const std::vector<Blob>& deltas,
                                             const std::vector<std::uint64_t>& rows,
                                             const ml::ServerState& server);
/// One of few values, so that there are ties; none where the round is not validated.
[[nodiscard]] std::optional<double> error_of(const JobSpecification& job,
                                             std::uint32_t round,
                                             const Blob& weights);

/// Where a job's loss becomes infinite, if anywhere.
struct Divergence {
  std::uint32_t round = 0;             ///< 0: nowhere.
  std::optional<std::uint32_t> shard;  ///< None: in the server's step.
};

/// A job computed directly, without nodes, faults or a scheduler.
struct FaultFree {
  std::vector<Blob> weights;         ///< After rounds 0, 1, ..., the last one that counts.
  std::vector<std::uint32_t> bests;  ///< Of lowest error so far, likewise; 0 without early stop.
  bool diverges = false;

  /// What the job would return if it ended after the round.
  [[nodiscard]] const Blob& result(std::size_t round) const {
    return weights.at(bests.at(round) > 0 ? bests[round] : round);
  }
};
[[nodiscard]] FaultFree run_directly(const JobSpecification& job,
                                     const Blob& initial,
                                     const std::vector<std::uint64_t>& rows,
                                     const Divergence& divergence);

}  // namespace gradmill::simulation
