// Writes the seeds of the fuzz targets, all but the few that are written by hand.
// usage: make_seeds tests/fuzz/seeds
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <wire/CoordinatorService.h>
#include <wire/NodeService.h>

#include "coordinator/store/files/sealed_file.h"
#include "coordinator/store/identity.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/model_files.h"
#include "coordinator/store/predicted_files.h"
#include "coordinator/store/texts/prediction_texts.h"
#include "coordinator/store/texts/stored_texts.h"
#include "formats/model_file.h"
#include "formats/npz_file.h"
#include "formats/shard_blob.h"
#include "formats/zip_archive.h"
#include "fuzz/connection.h"
#include "fuzz/jobs.h"
#include "wire/job_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::fuzz {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TMemoryBuffer;

// See connection.h and state_files_fuzz.cc.
const std::string kMessages("\0", 1);

std::string g_folder;

void write(const std::string& target, const std::string& name, const std::string& bytes) {
  std::filesystem::create_directories(g_folder + "/" + target);
  std::ofstream file(g_folder + "/" + target + "/" + name, std::ios::binary | std::ios::trunc);
  file << bytes;
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + g_folder + "/" + target + "/" + name);
  }
}

/// The message of one call: `send(client)` sends it.
template <class Client, class Send>
std::string call(Send send) {
  const auto buffer = std::make_shared<TMemoryBuffer>();
  Client client(std::make_shared<TBinaryProtocol>(buffer));
  send(client);
  return buffer->getBufferAsString();
}

std::string messages(const std::vector<std::string>& calls) {
  std::string input = kMessages;
  for (std::size_t n = 0; n < calls.size(); ++n) {
    input += (n == 0 ? "" : std::string(kBetweenMessages)) + calls[n];
  }
  return input;
}

/// Those of a job in double.
Blob full_weights() { return make_blob(*weights().bytes + *weights().bytes); }

wire::BlobRef ref_of(const Blob& blob) {
  wire::BlobRef ref;
  ref.digest = wire::to_wire(blob.ref.digest);
  ref.bytes = static_cast<std::int64_t>(blob.ref.bytes);
  return ref;
}

wire::PutBlobRequest put_blob(const Blob& blob) {
  wire::PutBlobRequest request;
  request.blob = ref_of(blob);
  request.data = *blob.bytes;
  return request;
}

wire::GetBlobRequest get_blob(const Blob& blob) {
  wire::GetBlobRequest request;
  request.blob = ref_of(blob);
  request.bytes_max = 100;
  return request;
}

/// A job with all that a job can have.
JobSpecification full_specification() {
  JobSpecification job = *specification();
  job.rule.precision = ml::Precision::kDouble;
  job.rule.activation = ml::Activation::kTanh;
  job.rule.optimizer = ml::Optimizer::kAdam;
  job.rule.epochs = 0;
  job.rule.steps_per_round = 3;
  job.rule.batch_size = 1;
  job.rule.weight_decay = 0.1;
  job.rule.label_smoothing = 0.1;
  job.rule.schedule = ml::Schedule::kOneCycle;
  job.rule.standardization = {.mean = {0.5}, .deviation = {2}};
  job.server = {.optimizer = ml::ServerOptimizer::kAdam, .eta = 0.01, .momentum = 0.9};
  job.early_stop = 1;
  job.quorum = 1;
  job.round_deadline = std::chrono::milliseconds(1);
  job.initial_weights = full_weights().ref;
  return job;
}

template <class Request>
Request about_job(const std::string& job) {
  Request request;
  request.job_id = job;
  return request;
}

/// Each of them a little.
wire::FaultSettings faults() {
  wire::FaultSettings faults;
  faults.drop_requests = 0.5;
  faults.drop_replies = 0.5;
  faults.delay_ms = 1;
  faults.slow = 1;
  return faults;
}

void write_fault_calls_to_the_coordinator() {
  using Client = wire::CoordinatorServiceClient;
  wire::SetFaultsRequest set;
  set.scope = wire::FaultScope::COORDINATOR;
  set.faults = faults();
  wire::SetFaultsRequest of_node = set;
  of_node.scope = wire::FaultScope::NODE;
  of_node.host = "node";
  of_node.port = 1;
  of_node.faults.corrupt = 0.5;
  wire::SetFaultsRequest clear;
  clear.scope = wire::FaultScope::ALL_NODES;
  clear.faults.slow = 1;
  write("coordinator_processor",
        "faults",
        messages({call<Client>([&](Client& c) { c.send_setFaults(set); }),
                  call<Client>([&](Client& c) { c.send_setFaults(of_node); }),
                  call<Client>([](Client& c) { c.send_listFaults({}); }),
                  call<Client>([&](Client& c) { c.send_setFaults(clear); })}));
}

void write_prediction_job_calls() {
  using Client = wire::CoordinatorServiceClient;
  JobSpecification job;
  job.prediction = PredictionPlan{.model = {.model = "letters",
                                            .version = 1,
                                            .file = weights().ref,
                                            .features = 1,
                                            .labels = {"A", "B"}},
                                  .batch_rows = 1,
                                  .labelled = true};
  job.shards = {shard().ref};
  wire::SubmitJobRequest submit;
  submit.job_id = "rows";
  submit.weight = 1;
  submit.specification = wire::to_wire(job);
  wire::JobPredictionsRequest read = about_job<wire::JobPredictionsRequest>("done");
  read.rows_max = 10;
  wire::SetBatchRowsRequest set = about_job<wire::SetBatchRowsRequest>("done");
  set.batch_rows = 2;
  wire::ModelStatisticsRequest of_model;
  of_model.reference = "m@1";
  write("coordinator_processor",
        "prediction_job",
        messages({call<Client>([](Client& c) { c.send_putBlob(put_blob(shard())); }),
                  call<Client>([&](Client& c) { c.send_submitJob(submit); }),
                  call<Client>([&](Client& c) { c.send_jobPredictions(read); }),
                  call<Client>([&](Client& c) { c.send_setBatchRows(set); }),
                  call<Client>([&](Client& c) {
                    c.send_jobStatistics(about_job<wire::JobStatisticsRequest>("done"));
                  }),
                  call<Client>([&](Client& c) { c.send_modelStatistics(of_model); })}));
}

void write_coordinator_calls() {
  using Client = wire::CoordinatorServiceClient;
  const std::string target = "coordinator_processor";
  wire::SubmitJobRequest submit;
  submit.job_id = "new";
  submit.specification = wire::to_wire(*specification());
  wire::ControlJobRequest control = about_job<wire::ControlJobRequest>("new");
  control.command = wire::JobCommand::CANCEL;
  wire::FollowJobRequest follow = about_job<wire::FollowJobRequest>("done");
  follow.with_tasks = true;
  wire::CollectGarbageRequest garbage;
  garbage.dry_run = true;
  garbage.keep_jobs = 1;
  garbage.keep_for_ms = -1;
  wire::JoinRequest join;
  join.host = "node";
  join.port = 1;
  join.incarnation = "0123456789abcdef";
  wire::AddNodeRequest add;
  add.host = "node";
  add.port = 1;
  wire::RemoveNodeRequest remove;
  remove.host = "node";
  remove.port = 1;
  const std::string submitting = call<Client>([&](Client& c) { c.send_submitJob(submit); });
  write(target, "submit_lacking", messages({submitting}));
  wire::SubmitJobRequest submit_full;
  submit_full.job_id = "full";
  submit_full.specification = wire::to_wire(full_specification());
  write(target,
        "submit_full",
        messages({call<Client>([](Client& c) { c.send_putBlob(put_blob(shard())); }),
                  call<Client>([](Client& c) { c.send_putBlob(put_blob(full_weights())); }),
                  call<Client>([&](Client& c) { c.send_submitJob(submit_full); })}));
  write(target,
        "submit_and_cancel",
        messages({call<Client>([](Client& c) { c.send_putBlob(put_blob(shard())); }),
                  submitting,
                  call<Client>([&](Client& c) { c.send_controlJob(control); })}));
  write(
      target,
      "read_a_job",
      messages(
          {call<Client>([&](Client& c) { c.send_followJob(follow); }),
           call<Client>([](Client& c) { c.send_getJob(about_job<wire::GetJobRequest>("done")); }),
           call<Client>([](Client& c) { c.send_jobLogs(about_job<wire::JobLogsRequest>("done")); }),
           call<Client>([](Client& c) { c.send_listJobs({}); }),
           call<Client>([](Client& c) { c.send_getBlob(get_blob(weights())); })}));
  write(target,
        "delete",
        messages({call<Client>([&](Client& c) { c.send_collectGarbage(garbage); }),
                  call<Client>([](Client& c) {
                    c.send_deleteJob(about_job<wire::DeleteJobRequest>("done"));
                  })}));
  write(target,
        "nodes",
        messages({call<Client>([&](Client& c) { c.send_join(join); }),
                  call<Client>([&](Client& c) { c.send_addNode(add); }),
                  call<Client>([](Client& c) { c.send_listNodes({}); }),
                  call<Client>([&](Client& c) { c.send_removeNode(remove); })}));
}

void write_fault_calls_to_the_node() {
  using Client = wire::NodeServiceClient;
  wire::SetNodeFaultsRequest set;
  set.faults = faults();
  set.faults.corrupt = 0.5;
  set.faults.crash_after = 100;
  write("node_processor",
        "faults",
        messages({call<Client>([&](Client& c) { c.send_setFaults(set); }),
                  call<Client>([](Client& c) { c.send_getFaults({}); })}));
}

void write_node_calls() {
  using Client = wire::NodeServiceClient;
  const std::string target = "node_processor";
  wire::Fence fence;
  fence.coordinator_id = "fuzz";
  fence.epoch = 1;
  wire::TaskId task;
  task.job_id = "new";
  task.round = 1;
  task.offer = 1;
  wire::PutBlobRequest put = put_blob(shard());
  put.fence = fence;
  wire::RunTaskRequest run;
  run.fence = fence;
  run.task = task;
  run.job_digest = wire::to_wire(job_digest(*specification()));
  run.rule = wire::to_wire(*specification()).rule;
  run.rounds = static_cast<std::int32_t>(specification()->rounds);
  run.weights = ref_of(weights());
  run.shard = ref_of(shard());
  run.load_rule = wire::LoadRule::DELAY;
  run.wait_ms = 1;
  const std::string lacking = call<Client>([&](Client& c) { c.send_runTask(run); });
  run.__set_weights_data(*weights().bytes);
  wire::PollTaskRequest poll;
  poll.fence = fence;
  poll.task = task;
  poll.wait_ms = 1;
  wire::CancelTaskRequest cancel;
  cancel.fence = fence;
  cancel.task = task;
  wire::GetBlobRequest get = get_blob(weights());
  get.fence = fence;
  wire::HeartbeatRequest beat;
  beat.fence = fence;
  beat.live_jobs = {"new"};
  write(target, "lacking", messages({lacking}));
  write(target,
        "train",
        messages({call<Client>([&](Client& c) { c.send_putBlob(put); }),
                  call<Client>([&](Client& c) { c.send_runTask(run); }),
                  call<Client>([&](Client& c) { c.send_pollTask(poll); }),
                  call<Client>([&](Client& c) { c.send_getBlob(get); }),
                  call<Client>([&](Client& c) { c.send_cancelTask(cancel); })}));
  run.rule = wire::to_wire(full_specification()).rule;
  run.weights = ref_of(full_weights());
  run.__set_weights_data(*full_weights().bytes);
  run.load_rule = wire::LoadRule::REFUSE_OR_DELAY;
  write(target,
        "train_batches",
        messages({call<Client>([&](Client& c) { c.send_putBlob(put); }),
                  call<Client>([&](Client& c) { c.send_runTask(run); }),
                  call<Client>([&](Client& c) { c.send_pollTask(poll); })}));
  write(target,
        "heartbeat",
        messages({call<Client>([&](Client& c) { c.send_heartbeat(beat); }),
                  call<Client>([](Client& c) { c.send_hello({}); })}));
}

std::string bytes_of(const coordinator::FileContent& content) {
  std::string bytes;
  for (const std::string_view part : content.parts) {
    bytes += part;
  }
  return bytes;
}

void write_state_files() {
  using namespace coordinator;
  const std::string target = "state_files";
  const Definition definition{.number = 3,
                              .job = "fuzz",
                              .specification = specification(),
                              .shard_rows = {2},
                              .submitted_ms = 1};
  Progress progress;
  progress.round = 2;
  progress.weights = weights().ref;
  progress.tallies["node:1"].tasks = 2;
  JobEvent event;
  event.sequence = 1;
  event.event = "task_failed";
  event.round = 1;
  event.shard = 0;
  event.attempt = 1;
  const std::string numbered = "3\n" + text_of(progress);
  write(
      target, "job_file", std::string(1, '\0') + bytes_of(definition_file(7, text_of(definition))));
  write(target, "state_file", std::string(1, '\0') + bytes_of(state_file(7, 3, progress)));
  write(target, "definition", "\1" + text_of(definition));
  write(target, "progress", "\2" + text_of(progress));
  write(target, "report", "\3" + text_of(report()));
  write(target, "tasks", "\4" + text_of(report().tasks));
  write(target, "event", "\5" + text_of(event));
  write(target, "identity", "\6" + text_of(Identity{.coordinator = "fuzz", .epoch = 1}));
  NumberedModel model;
  model.number = 3;
  model.version.model = "fuzz";
  model.version.version = 1;
  model.version.file = weights().ref;
  model.version.topology.units = {1, 2};
  model.version.labels = {"0", "1"};
  model.version.lineage.rule = {{"optimizer", "gd"}};
  model.version.lineage.errors = {{1, 0.5}};
  model.version.lineage.validation_error = 0.5;
  model.version.lineage.confusion = Confusion{2, {{0, 1, 3}}};
  const ModelAliases aliases{"fuzz", 1, {{1, "champion", 0, 1, AliasChange::kRegistered}}};
  write(target, "model_file", std::string(1, '\0') + bytes_of(model_content(7, model, weights())));
  write(target, "aliases_file", std::string(1, '\0') + bytes_of(aliases_content(7, aliases)));
  write(target, "model", "\x8" + text_of(model));
  write(target, "aliases", "\x9" + text_of(aliases));
  PredictedAt predicted;
  predicted.range = {2, 3, 1, make_blob(std::string(18, 'p'))};
  predicted.progress.predicted = 5;
  predicted.progress.batch_rows = 4;
  write(target,
        "predictions_file",
        std::string(1, '\0') + bytes_of(predictions_file(7, 3, predicted)));
  write(target, "range", "\xA" + text_of(predicted.range));
  JobSpecification prediction;
  prediction.shards = {shard().ref};
  prediction.prediction = PredictionPlan{{"fuzz", 1, weights().ref, 2, {"0", "1"}}, 4, true};
  Definition predicting = definition;
  predicting.specification = std::make_shared<const JobSpecification>(std::move(prediction));
  write(target, "prediction_job", "\1" + text_of(predicting));
  write(target, "weights", "\7" + numbered + "\n\n" + *weights().bytes);
}

/// The arrays of `model` as npz_file_fuzz takes them.
std::string npz_arrays(const formats::ModelFile& model) {
  const std::string archive = formats::encode_npz(model);
  const formats::ZipReader zip(archive, 8, "seed:");
  std::string seed = "\1";
  for (std::size_t i = 0; i < zip.entries().size(); ++i) {
    const std::string bytes = zip.read(i);
    seed += static_cast<char>(i);  // Both have the arrays of two layers in the same order.
    seed += static_cast<char>(bytes.size() % 256);
    seed += static_cast<char>(bytes.size() / 256);
    seed += bytes;
  }
  return seed;
}

void write_formats() {
  write("shard_blob", "bytes", *shard().bytes);
  ml::Shard floats;
  floats.rows = 1;
  floats.features = 2;
  floats.classes = 1;
  floats.values = std::vector<float>{0.5F, -1.0F};
  floats.labels = {0};
  write("shard_blob", "floats", formats::encode_shard(floats));
  formats::ModelFile model;
  model.topology = specification()->rule.topology;
  model.metadata["rounds"] = "2";
  model.parameters = *weights().bytes;
  write("model_file", "float", formats::encode_model_header(model) + model.parameters);
  write("npz_file", "float", '\0' + formats::encode_npz(model));
  model.precision = ml::Precision::kDouble;
  model.standardization = {.mean = {0.5}, .deviation = {2}};
  model.parameters += model.parameters;
  write("model_file", "standardized", formats::encode_model_header(model) + model.parameters);
  write("npz_file", "standardized", '\0' + formats::encode_npz(model));
  write("npz_file", "arrays", npz_arrays(model));
}

}  // namespace
}  // namespace gradmill::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_seeds FOLDER\n";
    return 2;
  }
  gradmill::fuzz::g_folder = argv[1];
  gradmill::fuzz::write_coordinator_calls();
  gradmill::fuzz::write_prediction_job_calls();
  gradmill::fuzz::write_fault_calls_to_the_coordinator();
  gradmill::fuzz::write_node_calls();
  gradmill::fuzz::write_fault_calls_to_the_node();
  gradmill::fuzz::write_state_files();
  gradmill::fuzz::write_formats();
  return 0;
}
