#include "ml/samples.h"

#include <cstring>
#include <vector>

#include "ml/block_kernel.h"

namespace gradmill::ml {

bool uses_blocks(const TrainingRule& rule) {
  return rule.optimizer == Optimizer::kGd && rule.label_smoothing == 0 &&
         parameter_count(rule.topology) <= BlockKernel<float>::kParametersBest;
}

Samples prepare_samples(const Shard& shard, const TrainingRule& rule) {
  const bool in_double = rule.precision == Precision::kDouble;
  if (uses_blocks(rule)) {
    return in_double ? Samples{SampleBlocks<double>(shard, rule.standardization)}
                     : Samples{SampleBlocks<float>(shard, rule.standardization)};
  }
  return in_double ? Samples{SampleRows<double>(shard, rule.standardization)}
                   : Samples{SampleRows<float>(shard, rule.standardization)};
}

std::string samples_key(const TrainingRule& rule) {
  std::string key = uses_blocks(rule) ? "blocks" : "rows";
  key += rule.precision == Precision::kDouble ? " double" : " float";
  for (const std::vector<double>* list :
       {&rule.standardization.mean, &rule.standardization.deviation}) {
    const std::size_t before = key.size();
    key.resize(before + list->size() * sizeof(double));
    if (!list->empty()) {
      std::memcpy(key.data() + before, list->data(), list->size() * sizeof(double));
    }
  }
  return key;
}

}  // namespace gradmill::ml
