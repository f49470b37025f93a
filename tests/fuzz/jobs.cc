#include "fuzz/jobs.h"

#include <cstdint>
#include <string>

#include "formats/shard_blob.h"
#include "ml/topology.h"

namespace gradmill::fuzz {
namespace {

constexpr std::int64_t kSubmittedMs = 1'700'000'000'000;
constexpr std::uint32_t kRounds = 2;

}  // namespace

Blob shard() {
  ml::Shard shard;
  shard.rows = 2;
  shard.features = 1;
  shard.classes = 2;
  shard.values = std::vector<std::uint8_t>{0, 7};
  shard.labels = {0, 1};
  return make_blob(formats::encode_shard(shard));
}

std::shared_ptr<const JobSpecification> specification() {
  auto job = std::make_shared<JobSpecification>();
  job->rule.topology.units = {1, 1, 2};
  job->rule.eta = 0.5;
  job->rule.epochs = 1;
  job->rounds = kRounds;
  job->shards = {shard().ref};
  job->validation = {shard().ref};
  return job;
}

Blob weights() {
  return make_blob(std::string(ml::parameter_count(specification()->rule.topology) * 4, '\0'));
}

RoundReport report() {
  RoundReport report;
  report.round = kRounds;
  report.validation_error = 0.5;
  report.seconds = 0.25;
  report.tasks = {{.shard = 0, .node = "node:1", .epochs = 1, .loss = 1.5, .offers = 1}};
  return report;
}

std::vector<coordinator::Record> finished_job() {
  using namespace coordinator;
  const std::string name = "done";
  std::vector<Record> records = {JobAdded{.job = name,
                                          .specification = specification(),
                                          .shard_rows = {2},
                                          .weights = weights(),
                                          .blobs = {shard()},
                                          .submitted_ms = kSubmittedMs}};
  for (std::uint32_t round = 1; round <= kRounds; ++round) {
    RoundFinished finished{.job = name, .report = report()};
    finished.report.round = round;
    finished.checkpoint.round = round;
    finished.checkpoint.weights = weights();
    finished.checkpoint.server = std::make_shared<const ml::ServerState>();
    finished.tallies["node:1"].tasks = round;
    records.push_back(std::move(finished));
  }
  records.push_back(JobLogged{
      .job = name,
      .event = {
          .sequence = 1, .time_ms = kSubmittedMs, .event = "submitted", .message = "job done"}});
  records.push_back(JobMoved{.job = name,
                             .state = JobState::kSucceeded,
                             .end = {.reason = "succeeded", .message = "all rounds are done"},
                             .ended_ms = kSubmittedMs + 1000});
  return records;
}

}  // namespace gradmill::fuzz
