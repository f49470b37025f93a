#include "client/report/model_output.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "client/report/output_file.h"
#include "formats/model_format.h"
#include "ml/parameter_bytes.h"
#include "protocol/rule_names.h"

namespace gradmill::client {
namespace {

std::string topology_text(const ml::Topology& topology) {
  std::string text;
  for (const std::uint32_t units : topology.units) {
    text += (text.empty() ? "" : "-") + std::to_string(units);
  }
  return text;
}

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

template <class To, class From>
std::string converted(std::string_view bytes) {
  const std::vector<From> values = ml::parameters_from<From>(bytes);
  const std::vector<To> result(values.begin(), values.end());
  return ml::bytes_from<To>(result);
}

/// Identity of the data: the digest of the training shards' digests.
std::string data_digest(const JobSpecification& specification) {
  Sha256 hash;
  for (const BlobRef& shard : specification.shards) {
    hash.add(shard.digest.hex());
  }
  return hash.finish().hex();
}

}  // namespace

InitialModel read_initial_model(const std::string& path, const ml::TrainingRule& rule) {
  formats::ModelFile model = formats::read_model_file(path);
  if (model.topology != rule.topology) {
    throw invalid_input("--init-from: " + path + " has the topology " +
                        topology_text(model.topology) + ", the job " +
                        topology_text(rule.topology));
  }
  const auto activation = model.metadata.find("activation");
  if (activation != model.metadata.end() && activation->second != name_of(rule.activation)) {
    throw invalid_input("--init-from: " + path + " has the activation " + activation->second +
                        ", the job " + std::string(name_of(rule.activation)));
  }
  if (model.precision != rule.precision) {
    model.parameters = rule.precision == ml::Precision::kDouble
                           ? converted<double, float>(model.parameters)
                           : converted<float, double>(model.parameters);
  }
  return {make_blob(std::move(model.parameters)), std::move(model.standardization)};
}

void check_model_output(const std::string& path) {
  if (path.empty()) {
    return;
  }
  check_writable("--output", path);
  try {
    static_cast<void>(formats::model_format_of(path));
  } catch (const Error& error) {
    throw invalid_input(std::string("--output: ") + error.what());
  }
}

void write_model(const std::string& path,
                 const JobSpecification& specification,
                 const FollowedJob& job,
                 const Blob& parameters) {
  const ml::TrainingRule& rule = specification.rule;
  const RoundReport& round = *result_round(job);
  formats::ModelFile model;
  model.topology = rule.topology;
  model.precision = rule.precision;
  model.standardization = rule.standardization;
  std::string labels;
  for (std::uint32_t label = 0; label < rule.topology.classes(); ++label) {
    labels += (label == 0 ? "" : ",") + std::to_string(label);
  }
  model.metadata = {
      {"format", "gradmill 1"},
      {"topology", topology_text(rule.topology)},
      {"activation", std::string(name_of(rule.activation))},
      {"class_labels", labels},
      {"job", job.status.job},
      {"round", std::to_string(round.round)},
      {"optimizer", std::string(name_of(rule.optimizer))},
      {"hyperparameters", hyperparameters_text(specification)},
      {"seed", std::to_string(rule.seed)},
      {"data_sha256", data_digest(specification)},
      {"validation_error",
       round.validation_error ? number_text(*round.validation_error) : "unknown"},
  };
  model.parameters = *parameters.bytes;
  formats::write_model_file(path, model);
}

}  // namespace gradmill::client
