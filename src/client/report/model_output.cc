#include "client/report/model_output.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "client/report/output_file.h"
#include "formats/model_format.h"
#include "ml/parameter_bytes.h"
#include "protocol/model_metadata.h"
#include "protocol/rule_names.h"

namespace gradmill::client {
namespace {

template <class To, class From>
std::string converted(std::string_view bytes) {
  const std::vector<From> values = ml::parameters_from<From>(bytes);
  const std::vector<To> result(values.begin(), values.end());
  return ml::bytes_from<To>(result);
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
  model.metadata =
      model_metadata(specification, job.status.job, round.round, round.validation_error);
  model.parameters = *parameters.bytes;
  formats::write_model_file(path, model);
}

}  // namespace gradmill::client
