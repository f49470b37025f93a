// What a job is: everything that decides its final bits.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/blob.h"
#include "ml/training_rule.h"

namespace gradmill {

/// A training job as submitted. Immutable.
struct JobSpecification {
  ml::TrainingRule rule;
  std::uint32_t rounds = 0;                ///< >= 1.
  std::vector<BlobRef> shards;             ///< Training shards; a shard is named by its index.
  std::vector<BlobRef> validation;         ///< Validation shards.
  std::optional<BlobRef> initial_weights;  ///< Instead of the seed's.

  /// Every blob that the job needs.
  [[nodiscard]] std::vector<BlobRef> blobs() const;
};

/// The job's identity: SHA-256 of a canonical text of the specification. It keys every random draw
/// and takes no part of ids, paths or nodes, so the same job submitted twice draws the same.
[[nodiscard]] Digest job_digest(const JobSpecification& specification);

/// Caps of a job; submissions beyond them are refused.
inline constexpr std::uint32_t kRoundsMax = 1'000'000;
inline constexpr std::uint32_t kEpochsMax = 1'000'000'000;
inline constexpr std::size_t kShardsMax = 50'000;

}  // namespace gradmill
