#include "protocol/model_metadata.h"

#include <array>
#include <charconv>

#include "protocol/rule_names.h"

namespace gradmill {
namespace {

std::string number_text(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string hyperparameters_text(const JobSpecification& specification) {
  std::string text;
  for (const auto& [name, value] : hyperparameters(specification)) {
    text += text.empty() ? "" : ", ";
    text += name;
    text += ' ';
    text += value;
  }
  return text;
}

}  // namespace

Digest data_digest(const JobSpecification& specification) {
  Sha256 hash;
  for (const BlobRef& shard : specification.shards) {
    hash.add(shard.digest.hex());
  }
  return hash.finish();
}

std::string topology_text(const ml::Topology& topology) {
  std::string text;
  for (const std::uint32_t units : topology.units) {
    text += (text.empty() ? "" : "-") + std::to_string(units);
  }
  return text;
}

std::map<std::string, std::string> model_metadata(const JobSpecification& specification,
                                                  const std::string& job,
                                                  std::uint32_t round,
                                                  const std::optional<double>& validation_error) {
  const ml::TrainingRule& rule = specification.rule;
  std::string labels;
  for (std::uint32_t label = 0; label < rule.topology.classes(); ++label) {
    labels += (label == 0 ? "" : ",") + std::to_string(label);
  }
  return {
      {"format", "gradmill 1"},
      {"topology", topology_text(rule.topology)},
      {"activation", std::string(name_of(rule.activation))},
      {"class_labels", labels},
      {"job", job},
      {"round", std::to_string(round)},
      {"optimizer", std::string(name_of(rule.optimizer))},
      {"hyperparameters", hyperparameters_text(specification)},
      {"seed", std::to_string(rule.seed)},
      {"data_sha256", data_digest(specification).hex()},
      {"validation_error", validation_error ? number_text(*validation_error) : "unknown"},
  };
}

}  // namespace gradmill
