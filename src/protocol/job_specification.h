// What a job is: everything that decides its final bits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/blob.h"
#include "ml/server_optimizer.h"
#include "ml/training_rule.h"
#include "protocol/prediction.h"

namespace gradmill {

/// What a prediction job is.
struct PredictionPlan {
  ServedModel model;
  std::uint32_t batch_rows = 0;  ///< Rows of a task, 1 to kBatchRowsMax, until that is changed.
  bool labelled = false;         ///< The rows' labels are true; else all of them are 0.
};

/// A job as submitted. Immutable. With a prediction plan it has but this and `shards`: the rows, in
/// order, whose labels are indices of the model's labels, or their number for one unknown to it.
struct JobSpecification {
  ml::TrainingRule rule;
  ml::ServerRule server;
  std::uint32_t rounds = 0;          ///< >= 1.
  std::uint32_t validate_every = 1;  ///< Rounds from one validation to the next, >= 1.
  std::uint32_t early_stop = 0;  ///< End after this many rounds without a lower error; 0: never.
  /// Once a round has gone on for round_deadline it ends as soon as `quorum` shards are in; both 0:
  /// every round has all of its shards. A round without some is not exact.
  std::uint32_t quorum = 0;
  std::chrono::milliseconds round_deadline{0};
  std::vector<BlobRef> shards;             ///< Training shards; a shard is named by its index.
  std::vector<BlobRef> validation;         ///< Validation shards.
  std::optional<BlobRef> initial_weights;  ///< Instead of the seed's.
  std::optional<PredictionPlan> prediction{};

  /// Every blob that the job needs.
  [[nodiscard]] std::vector<BlobRef> blobs() const;
};

/// Name and value of each number and choice that a recipe of training has, without those that the
/// others make void: they decide the bits, together with what is trained on what.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> hyperparameters(
    const JobSpecification& specification);

/// The job's identity: SHA-256 of a canonical text of the specification. It keys every random draw
/// and takes no part of ids, paths or nodes, so the same job submitted twice draws the same.
[[nodiscard]] Digest job_digest(const JobSpecification& specification);

/// Whether the error of this round, from 1, is to be known: every validate_every-th and the last
/// one's, and with early_stop every round's.
[[nodiscard]] bool is_validated(const JobSpecification& specification, std::uint32_t round);

/// Caps of a job; submissions beyond them are refused.
inline constexpr std::uint32_t kRoundsMax = 1'000'000;
inline constexpr std::uint32_t kEpochsMax = 1'000'000'000;
inline constexpr std::uint32_t kStepsMax = 1'000'000'000;
inline constexpr std::uint32_t kBatchMax = 1'000'000'000;
inline constexpr std::size_t kShardsMax = 50'000;
inline constexpr std::uint32_t kBatchRowsMax = 1'000'000;
/// The rows of a batch travel in one call.
inline constexpr std::uint64_t kBatchBytesMax = std::uint64_t{4} << 20U;
inline constexpr std::chrono::milliseconds kRoundDeadlineMin{1};
inline constexpr std::chrono::milliseconds kRoundDeadlineMax = std::chrono::hours(7 * 24);

}  // namespace gradmill
