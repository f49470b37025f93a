#include "coordinator/service/model_building.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "coordinator/service/job_intake.h"
#include "formats/model_file.h"
#include "formats/text.h"
#include "ml/samples.h"
#include "protocol/model_metadata.h"
#include "protocol/model_name.h"
#include "protocol/rule_names.h"

namespace gradmill::coordinator {
namespace {

// Beyond these a version has no matrix, or every so manyth error: an answer must hold them.
constexpr std::size_t kCountsMax = 50'000;
constexpr std::size_t kErrorsMax = 10'000;
constexpr std::size_t kRuleMax = 64;

using Metadata = std::map<std::string, std::string>;

std::optional<Confusion> confusion_of(const TrainedJob& job,
                                      BlobCache& blobs,
                                      ml::Trainer& trainer) {
  const ml::TrainingRule& rule = job.specification->rule;
  std::map<std::pair<std::int32_t, std::int32_t>, std::uint64_t> counts;
  for (const BlobRef& ref : job.specification->validation) {
    const ml::Samples samples = ml::prepare_samples(pinned_shard(ref, blobs), rule);
    for (const auto& [label, predicted] : trainer.classify(rule, samples, *job.weights.bytes)) {
      ++counts[{label, predicted}];
    }
  }
  if (counts.empty() || counts.size() > kCountsMax) {
    return std::nullopt;
  }
  Confusion confusion;
  confusion.classes = rule.topology.classes();
  for (const auto& [key, rows] : counts) {
    confusion.counts.push_back(
        {static_cast<std::uint32_t>(key.first), static_cast<std::uint32_t>(key.second), rows});
  }
  return confusion;
}

std::vector<RoundError> thinned(const std::vector<RoundError>& errors) {
  if (errors.size() <= kErrorsMax) {
    return errors;
  }
  const std::size_t stride = (errors.size() + kErrorsMax - 1) / kErrorsMax;
  std::vector<RoundError> kept;
  for (std::size_t n = (errors.size() - 1) % stride; n < errors.size(); n += stride) {
    kept.push_back(errors[n]);  // The last one is always among them.
  }
  return kept;
}

std::vector<std::string> numbered_labels(std::uint32_t classes) {
  std::vector<std::string> labels;
  for (std::uint32_t label = 0; label < classes; ++label) {
    labels.push_back(std::to_string(label));
  }
  return labels;
}

std::string value_of(const Metadata& metadata, const std::string& name) {
  const auto found = metadata.find(name);
  return found == metadata.end() ? "" : found->second;
}

std::vector<std::string> split(std::string_view text, std::string_view by) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(by);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + by.size());
  }
}

/// 0 unless the text is a number.
template <class Number>
Number number_of(const std::string& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

Digest digest_of(const std::string& hex) {
  Digest digest;
  for (std::size_t n = 0; hex.size() == 2 * Digest::kBytes && n < Digest::kBytes; ++n) {
    const char* const first = hex.data() + 2 * n;
    const auto [end, error] = std::from_chars(first, first + 2, digest.bytes.at(n), 16);
    if (error != std::errc{} || end != first + 2) {
      return {};
    }
  }
  return digest;
}

ml::Activation activation_of(const Metadata& metadata, const ml::Topology& topology) {
  const std::string text = value_of(metadata, "activation");
  if (text.empty()) {
    throw invalid_input("the model file does not say its activation");
  }
  const auto found = std::find(kActivationNames.begin(), kActivationNames.end(), text);
  if (found == kActivationNames.end()) {
    throw invalid_input("the model file has the unknown activation " + formats::in_quotes(text));
  }
  const auto activation = static_cast<ml::Activation>(found - kActivationNames.begin());
  if (activation == ml::Activation::kMlPy && topology.layers() != 2) {
    throw invalid_input("activation ml-py is for one hidden layer");
  }
  return activation;
}

/// Throws if the metadata speak of another model than the tensors.
void check_agreement(const Metadata& metadata, const ml::Topology& topology) {
  const std::string said = value_of(metadata, "topology");
  if (!said.empty() && said != topology_text(topology)) {
    throw invalid_input("the model file says that its topology is " + formats::in_quotes(said) +
                        ", but its tensors make " + topology_text(topology));
  }
}

/// One a class, of the metadata or numbered from 0.
std::vector<std::string> labels_of(const Metadata& metadata, std::uint32_t classes) {
  const std::string said = value_of(metadata, "class_labels");
  if (said.empty()) {
    return numbered_labels(classes);
  }
  std::vector<std::string> labels = split(said, ",");
  if (labels.size() != classes) {
    throw invalid_input("the model file has " + std::to_string(labels.size()) +
                        " class labels, but its tensors make " + std::to_string(classes) +
                        " classes");
  }
  for (const std::string& label : labels) {
    if (label.empty() || !is_plain_text(label)) {
      throw invalid_input("the model file has the class label " + quoted_name(label) +
                          ", which is empty or not plain text");
    }
  }
  std::vector<std::string> sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    throw invalid_input("the model file has the class label " + formats::in_quotes(*twice) +
                        " twice");
  }
  return labels;
}

ModelLineage lineage_of(const Metadata& metadata) {
  ModelLineage lineage;
  lineage.data_digest = digest_of(value_of(metadata, "data_sha256"));
  lineage.seed = number_of<std::uint64_t>(value_of(metadata, "seed"));
  lineage.round = number_of<std::uint32_t>(value_of(metadata, "round"));
  for (const std::string& part : split(value_of(metadata, "hyperparameters"), ", ")) {
    const std::size_t blank = part.find(' ');
    if (blank != std::string::npos && lineage.rule.size() < kRuleMax) {
      lineage.rule.emplace_back(part.substr(0, blank), part.substr(blank + 1));
    }
  }
  return lineage;
}

}  // namespace

ModelAdded version_of(const TrainedJob& job,
                      std::int64_t now_ms,
                      BlobCache& blobs,
                      ml::Trainer& trainer) {
  const JobSpecification& specification = *job.specification;
  const ml::TrainingRule& rule = specification.rule;
  ModelAdded added;
  ModelVersion& version = added.version;
  version.model = job.model;
  version.parameters = job.weights.ref.digest;
  version.topology = rule.topology;
  version.activation = rule.activation;
  version.precision = rule.precision;
  version.standardized = !rule.standardization.empty();
  version.labels = numbered_labels(rule.topology.classes());
  version.created_ms = now_ms;
  ModelLineage& lineage = version.lineage;
  lineage.job = job.job;
  lineage.job_digest = job_digest(specification);
  lineage.data_digest = data_digest(specification);
  lineage.rule = hyperparameters(specification);
  lineage.seed = rule.seed;
  lineage.round = job.round;
  for (const RoundError& error : job.errors) {
    if (error.round == job.round) {
      lineage.validation_error = error.error;
    }
  }
  lineage.errors = thinned(job.errors);
  lineage.confusion = confusion_of(job, blobs, trainer);
  formats::ModelFile file;
  file.topology = rule.topology;
  file.precision = rule.precision;
  file.standardization = rule.standardization;
  file.metadata = model_metadata(specification, job.job, job.round, lineage.validation_error);
  added.file = make_blob(formats::encode_model_header(file) + *job.weights.bytes);
  version.file = added.file.ref;
  return added;
}

ModelAdded imported_version(const std::string& model, const Blob& file, std::int64_t now_ms) {
  const formats::ModelFile decoded = formats::decode_model(*file.bytes, "the model file");
  check_agreement(decoded.metadata, decoded.topology);
  ModelAdded added;
  ModelVersion& version = added.version;
  version.model = model;
  version.file = file.ref;
  version.parameters = sha256(decoded.parameters);
  version.topology = decoded.topology;
  version.activation = activation_of(decoded.metadata, decoded.topology);
  version.precision = decoded.precision;
  version.standardized = !decoded.standardization.empty();
  version.labels = labels_of(decoded.metadata, decoded.topology.classes());
  version.lineage = lineage_of(decoded.metadata);
  version.created_ms = now_ms;
  added.file = file;
  return added;
}

}  // namespace gradmill::coordinator
