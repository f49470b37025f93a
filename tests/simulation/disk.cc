#include "simulation/disk.h"

#include <algorithm>
#include <variant>

#include "simulation/violation.h"

namespace gradmill::simulation {

using namespace coordinator;

void Disk::apply(const Save& save) {
  if (save.ticket <= last_ticket_) {
    return;
  }
  if (save.ticket != last_ticket_ + 1) {
    throw Violation("record_order", "tickets do not rise by one");
  }
  last_ticket_ = save.ticket;
  std::visit([this](const auto& one) { keep(one); }, save.record);
}

void Disk::keep(const JobAdded& record) {
  if (jobs_.contains(record.job)) {
    return;
  }
  StoredJob& job = jobs_[record.job];
  job.job = record.job;
  job.specification = record.specification;
  job.shard_rows = record.shard_rows;
  job.submitted_ms = record.submitted_ms;
  job.share = record.share;
  job.checkpoint.weights = record.weights;
  job.checkpoint.server = std::make_shared<const ml::ServerState>();
  order_.push_back(record.job);
}

void Disk::keep(const RoundFinished& record) {
  const auto found = jobs_.find(record.job);
  if (found == jobs_.end()) {
    throw Violation("record_order", "a round of a job that is not stored");
  }
  StoredJob& job = found->second;
  const std::uint32_t round = record.checkpoint.round;
  if (has_ended(job.state) || round != job.checkpoint.round + 1 || record.report.round != round) {
    throw Violation("record_order",
                    "round " + std::to_string(round) + " is saved after round " +
                        std::to_string(job.checkpoint.round));
  }
  job.checkpoint = record.checkpoint;
  job.rounds.push_back(record.report);
  job.rounds.back().tasks.clear();
  job.tallies = record.tallies;
}

void Disk::keep(const RowsPredicted& record) {
  const auto found = jobs_.find(record.job);
  const auto end_of = [](const PredictedRange& range) { return range.first_row + range.rows; };
  if (found == jobs_.end() || has_ended(found->second.state) ||
      record.range.first_row !=
          (found->second.predicted.empty() ? 0 : end_of(found->second.predicted.back()))) {
    throw Violation("record_order",
                    "rows from " + std::to_string(record.range.first_row) + " of " + record.job +
                        " are saved, and not behind those before");
  }
  found->second.predicted.push_back(record.range);
  found->second.predicted.back().predictions.bytes.reset();
  found->second.tallies = record.tallies;
}

void Disk::keep(const BatchSizeChanged& record) {
  const auto found = jobs_.find(record.job);
  if (found == jobs_.end()) {
    throw Violation("record_order", "batches of a job that is not stored");
  }
  found->second.batch_rows = record.batch_rows;
}

void Disk::keep(const JobMoved& record) {
  const auto found = jobs_.find(record.job);
  if (found == jobs_.end()) {
    throw Violation("record_order", "a move of a job that is not stored");
  }
  StoredJob& job = found->second;
  if (has_ended(job.state) && job.state != record.state) {
    throw Violation("record_order", "job " + record.job + " moves after its end");
  }
  job.state = record.state;
  job.end = record.end;
  job.ended_ms = record.ended_ms;
  job.tallies = record.tallies;
  if (has_ended(job.state)) {
    results_[record.job] = job.checkpoint.result().ref.digest;
    job.checkpoint.weights.bytes.reset();
    job.checkpoint.best_weights.bytes.reset();
    job.checkpoint.server.reset();
  }
}

void Disk::keep(const JobRemoved& record) {
  jobs_.erase(record.job);
  std::erase(order_, record.job);
}

void Disk::keep(const JobLogged& /*record*/) {}

void Disk::keep(const NodeAdded& record) {
  nodes_[record.address] = {.address = record.address, .source = record.source};
}

void Disk::keep(const NodeTakenOut& record) {
  nodes_[record.address] = {
      .address = record.address, .taken_out = true, .incarnation = record.incarnation};
}

void Disk::keep(const NodeRemoved& record) { nodes_.erase(record.address); }

std::vector<StoredJob> Disk::jobs() const {
  std::vector<StoredJob> jobs;
  for (const std::string& job : order_) {
    jobs.push_back(jobs_.at(job));
  }
  return jobs;
}

std::vector<StoredNode> Disk::nodes() const {
  std::vector<StoredNode> nodes;
  for (const auto& [address, node] : nodes_) {
    nodes.push_back(node);
  }
  return nodes;
}

}  // namespace gradmill::simulation
