// A coordinator that answers from a script.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "client/link/coordinator_link.h"

namespace gradmill::client {

/// The first of `answers`, which the last one stays.
template <class T>
T next_of(std::deque<T>& answers) {
  T answer = answers.front();
  if (answers.size() > 1) {
    answers.pop_front();
  }
  return answer;
}

/// Keeps what it gets and answers what the test put into its members.
class FakeLink final : public CoordinatorLink {
 public:
  std::vector<Digest> submit(const std::string& id,
                             const JobSpecification& wanted,
                             const JobTerms& terms) override {
    submitted_id = id;
    submitted_terms = terms;
    specification = wanted;
    ++submits;
    std::vector<Digest> missing;
    for (const BlobRef& blob : wanted.blobs()) {
      if (!blobs.contains(blob.digest)) {
        missing.push_back(blob.digest);
      }
    }
    return missing;
  }

  JobStatus follow(const JobQuery& query, std::chrono::milliseconds /*wait*/) override {
    if (gone) {
      throw Error(ErrorCode::kNotFound, "there is no job " + query.job);
    }
    queries.push_back(query);
    JobStatus status = next_of(answers);
    std::erase_if(status.finished,
                  [&](const RoundReport& round) { return round.round <= query.rounds_known; });
    return status;
  }

  JobControl control(const std::string& job,
                     JobCommand command,
                     std::chrono::milliseconds wait) override {
    calls.push_back("control " + job + ' ' + std::to_string(static_cast<int>(command)) + ' ' +
                    std::to_string(wait.count()));
    return next_of(controls);
  }

  std::vector<JobSummary> jobs(std::uint32_t limit) override {
    calls.push_back("jobs " + std::to_string(limit));
    return {summaries.begin(),
            limit > 0 && limit < summaries.size() ? summaries.begin() + limit : summaries.end()};
  }

  JobDetails job(const std::string& job) override {
    calls.push_back("job " + job);
    return details;
  }

  JobExplanation explain(const std::string& job) override {
    calls.push_back("explain " + job);
    return explanation;
  }

  void set_scheduling(SchedulingMode mode) override {
    calls.push_back("schedule " + std::string(name_of(mode)));
    mode_set = mode;
  }

  SchedulingMode scheduling() override {
    calls.emplace_back("scheduling");
    return mode_set;
  }

  JobLog logs(const std::string& job,
              std::uint64_t after,
              std::chrono::milliseconds wait) override {
    calls.push_back("logs " + job + ' ' + std::to_string(after) + ' ' +
                    std::to_string(wait.count()));
    return next_of(log);
  }

  JobPredictions predictions(const std::string& job,
                             std::uint64_t first_row,
                             std::uint32_t rows_max,
                             std::chrono::milliseconds wait) override {
    calls.push_back("predictions " + job + ' ' + std::to_string(first_row) + ' ' +
                    std::to_string(rows_max) + ' ' + std::to_string(wait.count()));
    return next_of(predicted);
  }

  void set_batch_rows(const std::string& job, std::uint32_t batch_rows) override {
    calls.push_back("set " + job + ' ' + std::to_string(batch_rows));
  }

  JobStatistics job_statistics(const std::string& job) override {
    calls.push_back("job statistics " + job);
    return statistics_of_job;
  }

  ModelStatistics model_statistics(const std::string& reference) override {
    calls.push_back("model statistics " + reference);
    return statistics_of_model;
  }

  void remove(const std::string& job) override { calls.push_back("remove " + job); }

  Garbage collect_garbage(bool dry_run, const std::optional<Retention>& rule) override {
    calls.push_back(
        std::string("collect") + (dry_run ? " dry" : "") +
        (rule ? ' ' + std::to_string(rule->jobs) + ' ' + std::to_string(rule->age.count()) : ""));
    return garbage;
  }

  std::vector<ModelSummary> models(const std::string& model) override {
    calls.push_back("models " + model);
    return all_models;
  }

  ModelDetails model(const std::string& reference) override {
    calls.push_back("model " + reference);
    return model_details;
  }

  std::uint32_t import_model(const std::string& model, const BlobRef& file) override {
    calls.push_back("import " + model + (blobs.contains(file.digest) ? "" : " without its file"));
    return 3;
  }

  std::optional<AliasMove> promote_model(const std::string& reference,
                                         const std::string& alias,
                                         bool force) override {
    calls.push_back("promote " + reference + ' ' + alias + (force ? " by force" : ""));
    return alias_move;
  }

  AliasMove roll_back_model(const std::string& model,
                            const std::string& alias,
                            std::uint32_t from) override {
    calls.push_back("roll back " + model + ' ' + alias + ' ' + std::to_string(from));
    return alias_move.value_or(AliasMove{});
  }

  void delete_model(const std::string& model, std::uint32_t version) override {
    calls.push_back("delete " + model + ' ' + std::to_string(version));
  }

  std::vector<NodeStatus> nodes() override { return all_nodes; }

  NodeStatus add_node(const Address& node) override {
    calls.push_back("add " + node.text());
    return next_of(node_answers);
  }

  NodeStatus remove_node(const Address& node, std::chrono::milliseconds wait) override {
    calls.push_back("remove " + node.text() + ' ' + std::to_string(wait.count()));
    return next_of(node_answers);
  }

  std::vector<FaultReport> set_faults(const FaultTarget& target,
                                      const FaultSettings& faults) override {
    calls.emplace_back("set faults");
    fault_target = target;
    fault_settings = faults;
    return fault_reports;
  }

  std::vector<FaultReport> faults() override { return fault_reports; }

  ServedModel served_model(const std::string& model) override {
    calls.push_back("served model " + model);
    return served;
  }

  /// Says of each row its first feature, for sure.
  ModelPredictions predict(const std::string& model, const RawRows& rows) override {
    calls.push_back("predict " + model + ' ' + std::to_string(rows.rows) +
                    (rows.elements == ElementType::kByte ? " bytes" : " floats"));
    ModelPredictions answer{.model = served.model, .version = served.version, .rows = {}};
    const ml::RowsView view = view_of(rows);
    for (std::size_t row = 0; row < rows.rows; ++row) {
      const auto index = std::visit(
          [&](const auto* values) {
            return static_cast<std::uint16_t>(values[row * rows.features]);
          },
          view.values);
      const float sure = 1;
      answer.rows.classes.append(reinterpret_cast<const char*>(&index), sizeof index);
      answer.rows.probabilities.append(reinterpret_cast<const char*>(&sure), sizeof sure);
    }
    return answer;
  }

  void put_blob(const Blob& blob) override { blobs[blob.ref.digest] = blob; }

  Blob get_blob(const BlobRef& blob) override {
    const auto found = blobs.find(blob.digest);
    if (found == blobs.end()) {
      throw Error(ErrorCode::kNotFound, "the blob is gone");
    }
    return found->second;
  }

  void interrupt() override {}

  std::vector<std::string> calls;  ///< Of most kinds, with their arguments.
  ServedModel served;
  int submits = 0;
  std::string submitted_id;
  JobTerms submitted_terms;
  std::vector<ModelSummary> all_models;
  ModelDetails model_details;
  std::optional<AliasMove> alias_move;
  JobStatistics statistics_of_job;
  ModelStatistics statistics_of_model;
  JobSpecification specification;
  std::map<Digest, Blob> blobs;
  bool gone = false;  ///< The job.
  std::vector<JobQuery> queries;
  std::deque<JobStatus> answers;
  std::deque<JobControl> controls;
  std::vector<JobSummary> summaries;
  JobDetails details;
  JobExplanation explanation;
  SchedulingMode mode_set = SchedulingMode::kGlobal;
  std::deque<JobLog> log;
  std::deque<JobPredictions> predicted;
  Garbage garbage;
  std::vector<NodeStatus> all_nodes;
  std::deque<NodeStatus> node_answers;
  std::vector<FaultReport> fault_reports;
  FaultTarget fault_target;
  FaultSettings fault_settings;
};

}  // namespace gradmill::client
