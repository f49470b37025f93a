#include "protocol/job_specification.h"

#include <array>
#include <charconv>
#include <string>

#include "base/check.h"

namespace gradmill {
namespace {

/// The shortest text that reads back as the same double.
std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  GRADMILL_CHECK(error == std::errc{});
  return {text.data(), end};
}

std::string_view name_of(ml::Activation activation) {
  return activation == ml::Activation::kRelu ? "relu" : "ml-py";
}

std::string_view name_of(ml::Precision precision) {
  return precision == ml::Precision::kFloat ? "float" : "double";
}

}  // namespace

std::vector<BlobRef> JobSpecification::blobs() const {
  std::vector<BlobRef> all = shards;
  all.insert(all.end(), validation.begin(), validation.end());
  if (initial_weights) {
    all.push_back(*initial_weights);
  }
  return all;
}

Digest job_digest(const JobSpecification& specification) {
  const ml::TrainingRule& rule = specification.rule;
  std::string text = "gradmill job 1\nunits";
  for (const std::uint32_t units : rule.topology.units) {
    text += ' ' + std::to_string(units);
  }
  text += "\nactivation ";
  text += name_of(rule.activation);
  text += "\nprecision ";
  text += name_of(rule.precision);
  text += "\noptimizer gd\neta " + shortest(rule.eta);
  text += "\nepochs " + std::to_string(rule.epochs);
  text += "\nmin-loss-change " + shortest(rule.min_loss_change);
  text += "\nrounds " + std::to_string(specification.rounds);
  text += "\nseed " + std::to_string(rule.seed);
  for (const BlobRef& shard : specification.shards) {
    text += "\nshard " + shard.digest.hex();
  }
  for (const BlobRef& shard : specification.validation) {
    text += "\nvalidation " + shard.digest.hex();
  }
  if (specification.initial_weights) {
    text += "\ninitial-weights " + specification.initial_weights->digest.hex();
  }
  return sha256(text + '\n');
}

}  // namespace gradmill
