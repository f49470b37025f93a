// A shard laid out for the kernel that its job uses.
#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include "ml/sample_blocks.h"
#include "ml/sample_rows.h"
#include "ml/shard.h"
#include "ml/training_rule.h"

namespace gradmill::ml {

/// A shard laid out for one kernel and precision. Immutable, so threads may share it.
struct Samples {
  std::variant<SampleBlocks<float>, SampleBlocks<double>, SampleRows<float>, SampleRows<double>>
      layout;

  [[nodiscard]] std::size_t bytes() const {
    return std::visit([](const auto& samples) { return samples.bytes(); }, layout);
  }
};

/// Whether jobs of this rule use BlockKernel: full batches on small networks, whose labels are not
/// smoothed; else BatchKernel.
[[nodiscard]] bool uses_blocks(const TrainingRule& rule);

/// Lays `shard` out for `rule`.
[[nodiscard]] Samples prepare_samples(const Shard& shard, const TrainingRule& rule);

/// Names the layout: rules with equal keys can share the samples of a shard.
[[nodiscard]] std::string samples_key(const TrainingRule& rule);

}  // namespace gradmill::ml
