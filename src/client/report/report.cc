#include "client/report/report.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/prediction_report.h"
#include "client/report/text.h"

namespace gradmill::client {

const RoundReport* result_round(const FollowedJob& job) {
  const std::uint32_t best = job.status.best_round;
  const auto found = std::find_if(
      job.rounds.begin(), job.rounds.end(), [&](const auto& round) { return round.round == best; });
  if (found != job.rounds.end()) {
    return &*found;
  }
  return job.rounds.empty() ? nullptr : &job.rounds.back();
}

namespace {

/// Null for a round that was not validated.
nlohmann::ordered_json error_in_json(const std::optional<double>& error) {
  return error ? nlohmann::ordered_json(*error) : nlohmann::ordered_json();
}

/// One line for people about what the rounds of a job that is not exact went without.
std::string inexact_text(const FollowedJob& job) {
  std::string first;
  std::size_t count = 0;
  for (const RoundReport& round : job.rounds) {
    if (round.missing.empty()) {
      continue;
    }
    if (++count == 1) {
      first = ", the first of them round " + std::to_string(round.round) + " without ";
      for (std::size_t n = 0; n < round.missing.size(); ++n) {
        first += (n == 0 ? "" : ", ") + std::to_string(round.missing[n] + 1);
      }
    }
  }
  return "not exact: " + std::to_string(count) + " of " + std::to_string(job.rounds.size()) +
         " rounds went without some shards" + first;
}

nlohmann::ordered_json incomplete_rounds(const std::vector<RoundReport>& rounds) {
  auto list = nlohmann::ordered_json::array();
  for (const RoundReport& round : rounds) {
    if (!round.missing.empty()) {
      nlohmann::ordered_json shards;
      for (const std::uint32_t shard : round.missing) {
        shards.push_back(shard + 1);
      }
      list.push_back({{"round", round.round}, {"missing_shards", shards}});
    }
  }
  return list;
}

nlohmann::ordered_json nodes_in_json(const std::vector<NodeReport>& nodes) {
  auto list = nlohmann::ordered_json::array();
  for (const NodeReport& node : nodes) {
    list.push_back({{"node", node.node},
                    {"tasks", node.tasks},
                    {"refused", node.refused},
                    {"failed", node.failed}});
  }
  return list;
}

void write_text_result(std::ostream& to, const FollowedJob& job) {
  if (job.status.prediction) {
    if (job.status.state == JobState::kSucceeded) {
      to << prediction_summary(job.status) << '\n' << std::flush;
    }
    return;
  }
  const RoundReport* const round = result_round(job);
  if (job.status.state != JobState::kSucceeded || round == nullptr || !round->validation_error) {
    return;
  }
  to << printed("final validation error: %.6f\n", *round->validation_error);
  if (job.status.best_round > 0) {
    to << "best round: " << job.status.best_round << '\n';
  }
  if (!job.status.exact) {
    to << inexact_text(job) << '\n';
  }
  to << std::flush;
}

}  // namespace

void write_result(std::ostream& to, const FollowedJob& job, Format format) {
  const JobStatus& status = job.status;
  const RoundReport* const round = result_round(job);
  if (format == Format::kText) {
    write_text_result(to, job);
    return;
  }
  using nlohmann::ordered_json;
  ordered_json result;
  result["job_id"] = status.job;
  result["kind"] = kind_text(status.prediction);
  result["state"] = name_of(status.state);
  if (status.state != JobState::kSucceeded) {
    result["reason"] = status.reason;
    result["message"] = status.message;
  }
  if (status.prediction) {
    add_prediction(result, *status.prediction);
    result["nodes"] = nodes_in_json(status.nodes);
    write_json(to, result);
    return;
  }
  result["validation_error"] =
      round == nullptr ? ordered_json() : error_in_json(round->validation_error);
  if (status.best_round > 0) {
    result["best_round"] = status.best_round;
  }
  result["exact"] = status.exact;
  if (auto list = incomplete_rounds(job.rounds); !list.empty()) {
    result["incomplete_rounds"] = std::move(list);
  }
  result["rounds"] = ordered_json::array();
  for (const RoundReport& one : job.rounds) {
    result["rounds"].push_back({{"round", one.round},
                                {"validation_error", error_in_json(one.validation_error)},
                                {"seconds", one.seconds}});
  }
  result["nodes"] = nodes_in_json(status.nodes);
  result["parameters_sha256"] = status.parameters.digest.hex();
  result["registered"] = text_or_null(status.registered);
  write_json(to, result);
}

void write_nodes(std::ostream& to, const FollowedJob& job) {
  for (const NodeReport& node : job.status.nodes) {
    to << "node " << node.node << ": " << node.tasks << " tasks, " << node.refused << " refused, "
       << node.failed << " failed\n";
  }
  to << std::flush;
}

std::string timing_csv(const std::vector<RoundReport>& rounds) {
  // A round's transfer, compute and wait are the sums over its tasks.
  std::string csv =
      "row,round,shard,node,seconds,transfer,compute,wait,aggregate,validate,epochs,loss,offers\n";
  for (const RoundReport& round : rounds) {
    TaskReport sum;
    for (const TaskReport& task : round.tasks) {
      sum.transfer += task.transfer;
      sum.compute += task.compute;
      sum.wait += task.wait;
    }
    csv += printed("round,%u,,,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,,,\n",
                   round.round,
                   round.seconds,
                   sum.transfer,
                   sum.compute,
                   sum.wait,
                   round.aggregate,
                   round.validate);
    for (const TaskReport& task : round.tasks) {
      csv += printed("task,%u,%u,", round.round, task.shard + 1) + task.node +
             printed(",%.6f,%.6f,%.6f,%.6f,,,%u,%.6f,%u\n",
                     task.wait + task.transfer + task.compute,
                     task.transfer,
                     task.compute,
                     task.wait,
                     task.epochs,
                     task.loss,
                     task.offers);
    }
  }
  return csv;
}

}  // namespace gradmill::client
