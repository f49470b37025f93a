#include "client/commands/submission.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "client/commands/data_folder.h"
#include "client/report/model_output.h"
#include "formats/shard_blob.h"
#include "ml/standardization.h"
#include "protocol/model_name.h"
#include "protocol/specification_check.h"

namespace gradmill::client {
namespace {

constexpr int kSubmitsMax = 4;

void upload(CoordinatorLink& link,
            const std::vector<Digest>& missing,
            const std::vector<Blob>& blobs) {
  for (const Digest& digest : missing) {
    const auto blob = std::find_if(
        blobs.begin(), blobs.end(), [&](const Blob& one) { return one.ref.digest == digest; });
    if (blob == blobs.end()) {
      throw Error(ErrorCode::kUnreachable, "the coordinator asks for a blob that the job lacks");
    }
    link.put_blob(*blob);
  }
}

void add_data(Submission& submission, const DataSet& data) {
  JobSpecification& specification = submission.specification;
  for (const DataFile& file : data.training) {
    specification.shards.push_back(file.blob.ref);
    submission.blobs.push_back(file.blob);
  }
  for (const DataFile& file : data.validation) {
    specification.validation.push_back(file.blob.ref);
    submission.blobs.push_back(file.blob);
  }
}

ml::Topology topology_of(const TrainRequest& request, const DataSet& data) {
  ml::Topology topology;
  topology.units.push_back(data.features);
  topology.units.insert(topology.units.end(), request.hidden.begin(), request.hidden.end());
  topology.units.push_back(data.classes);
  if (ml::parameter_count(topology) == 0) {
    throw invalid_input("the hidden units, with " + std::to_string(data.features) +
                        " features and " + std::to_string(data.classes) +
                        " classes, make more than " + std::to_string(ml::kParametersMax) +
                        " parameters");
  }
  return topology;
}

ml::Standardization standardization_over(const std::vector<DataFile>& files) {
  std::vector<ml::Shard> shards;
  shards.reserve(files.size());
  for (const DataFile& file : files) {
    shards.push_back(formats::decode_shard(*file.blob.bytes));
  }
  return ml::standardization_of(shards);
}

/// Weights mean nothing without the standardization that they were trained with, so a model brings
/// its own.
void start_from_model(const TrainRequest& request, Submission& submission) {
  ml::TrainingRule& rule = submission.specification.rule;
  InitialModel model = read_initial_model(request.init_from, rule);
  if (request.standardize == Standardize::kAsked && model.standardization.empty()) {
    throw invalid_input("--standardize does not go with --init-from " + request.init_from +
                        ": that model was trained without");
  }
  rule.standardization = std::move(model.standardization);
  submission.specification.initial_weights = model.weights.ref;
  submission.blobs.push_back(std::move(model.weights));
}

std::uint32_t quorum_of(const Quorum& quorum, std::size_t shards) {
  if (quorum.shards > shards) {
    throw invalid_input("--quorum: " + std::to_string(quorum.shards) + " is more than the " +
                        std::to_string(shards) + " training shards");
  }
  if (quorum.shards > 0) {
    return quorum.shards;
  }
  // A share such as 0.07 of 100 is a bit more than 7 as a product of binary numbers.
  constexpr double kRounding = 1e-9;
  const double least = std::ceil(quorum.share * static_cast<double>(shards) - kRounding);
  return std::max(1U, static_cast<std::uint32_t>(least));
}

/// What the user calls the model, or the folder of the data.
std::string model_of(const TrainRequest& request) {
  if (!request.model.empty()) {
    return request.model;
  }
  std::error_code failure;
  std::filesystem::path folder = std::filesystem::weakly_canonical(request.folder, failure);
  std::string name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  try {
    check_model_name(name);
  } catch (const Error&) {
    throw invalid_input("the model cannot be called " + quoted_name(name) +
                        ", as the data folder is; give it a name with --model");
  }
  return name;
}

}  // namespace

Submission prepare(const TrainRequest& request) {
  const DataSet data = read_data_folder(request.folder, request.classes);
  Submission submission;
  submission.terms = {.model = model_of(request), .share = request.share};
  JobSpecification& specification = submission.specification;
  specification.rule = request.rule;
  specification.rule.topology = topology_of(request, data);
  specification.server = request.server;
  specification.rounds = request.rounds;
  specification.validate_every = request.validate_every;
  specification.early_stop = request.early_stop;
  add_data(submission, data);
  if (request.quorum) {
    specification.quorum = quorum_of(*request.quorum, specification.shards.size());
    specification.round_deadline = request.round_deadline;
  }
  if (!request.init_from.empty()) {
    start_from_model(request, submission);
  } else if (request.standardize != Standardize::kNo) {
    specification.rule.standardization = standardization_over(data.training);
  }
  check_specification(specification);
  return submission;
}

void submit(CoordinatorLink& link, const std::string& id, const Submission& submission) {
  for (int attempt = 0; attempt < kSubmitsMax; ++attempt) {
    const std::vector<Digest> missing = link.submit(id, submission.specification, submission.terms);
    if (missing.empty()) {
      return;
    }
    upload(link, missing, submission.blobs);
  }
  throw Error(ErrorCode::kUnavailable, "the coordinator has no room for the data");
}

}  // namespace gradmill::client
