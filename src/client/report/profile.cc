#include "client/report/profile.h"

#include <algorithm>
#include <map>

#include "client/report/text.h"

namespace gradmill::client {
namespace {

// A round that a node computes for less is mostly the way there and back.
constexpr double kShortRound = 0.002;
// Less than this of the nodes' time is not worth a change.
constexpr double kLittle = 0.1;

std::uint64_t rows_of(const JobDetails& job, const TaskReport& task) {
  const ml::TrainingRule& rule = job.specification.rule;
  if (rule.steps_per_round > 0) {
    return std::uint64_t{rule.steps_per_round} * rule.batch_size;
  }
  return task.shard < job.shard_rows.size() ? job.shard_rows[task.shard] * task.epochs : 0;
}

RoundProfile round_profile(const JobDetails& job,
                           const RoundReport& report,
                           const std::map<std::string, NodeProfile>& names) {
  std::map<std::string, NodeProfile> nodes = names;
  for (const TaskReport& task : report.tasks) {
    NodeProfile& node = nodes[task.node];
    ++node.tasks;
    node.rows += rows_of(job, task);
    node.compute += task.compute;
    node.transfer += task.transfer;
  }
  RoundProfile round{report.round, report.seconds, report.aggregate, report.validate, {}};
  for (auto& [name, node] : nodes) {
    node.node = name;
    // Tasks of several slots overlap, so that nothing may be left.
    node.wait = std::max(0.0, report.seconds - report.aggregate - node.compute - node.transfer);
    round.nodes.push_back(node);
  }
  return round;
}

void add(NodeProfile& to, const NodeProfile& node) {
  to.node = node.node;
  to.tasks += node.tasks;
  to.rows += node.rows;
  to.compute += node.compute;
  to.transfer += node.transfer;
  to.wait += node.wait;
}

void set_shares(JobProfile& profile) {
  const double aggregate = profile.aggregate * static_cast<double>(profile.nodes.size());
  double compute = 0;
  double transfer = 0;
  double wait = 0;
  for (const NodeProfile& node : profile.nodes) {
    compute += node.compute;
    transfer += node.transfer;
    wait += node.wait;
  }
  const double all = compute + transfer + wait + aggregate;
  if (all > 0) {
    profile.compute_share = compute / all;
    profile.transfer_share = transfer / all;
    profile.wait_share = wait / all;
    profile.aggregate_share = aggregate / all;
  }
  if (compute > 0) {
    profile.baseline_rate = static_cast<double>(profile.rows) / compute;
  }
  if (profile.seconds > 0) {
    profile.rate = static_cast<double>(profile.rows) / profile.seconds;
  }
}

std::string percent(double share) { return printed("%.0f %%", share * 100); }

/// Seconds that a row takes the slowest node, over those of the fastest.
double unevenness(const JobProfile& profile) {
  double slowest = 0;
  double fastest = 0;
  for (const NodeProfile& node : profile.nodes) {
    if (node.rows > 0 && node.compute > 0) {
      const double each = node.compute / static_cast<double>(node.rows);
      slowest = std::max(slowest, each);
      fastest = fastest == 0 ? each : std::min(fastest, each);
    }
  }
  return fastest > 0 ? slowest / fastest : 1;
}

/// What kept nodes that had shards to do from doing them, and the way out of it.
std::string hindrance_in_words(const JobDetails& job) {
  const auto most = [&](std::uint64_t NodeReport::*count) {
    return *std::max_element(
        job.status.nodes.begin(),
        job.status.nodes.end(),
        [&](const NodeReport& one, const NodeReport& other) { return one.*count < other.*count; });
  };
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  for (const NodeReport& node : job.status.nodes) {
    refused += node.refused;
    failed += node.failed;
  }
  if (refused > 0 && refused >= failed) {
    const NodeReport node = most(&NodeReport::refused);
    return ": simulated load refused " + std::to_string(refused) + " offers, " +
           std::to_string(node.refused) + " of them at " + node.node +
           "; a lower load there, or leaving it out, would raise it.";
  }
  if (failed > 0) {
    const NodeReport node = most(&NodeReport::failed);
    return ": " + std::to_string(failed) + " tasks failed or were lost, " +
           std::to_string(node.failed) + " of them at " + node.node +
           "; leaving it out would raise it (why: client job logs).";
  }
  return ": no task was refused or lost, so other jobs had the slots, or the tasks of a round did"
         " not end together; a higher --weight would raise it in the first case, more and smaller"
         " shards in the second.";
}

std::string advice_on_waits(const JobProfile& profile, const JobDetails& job) {
  const std::string lost = "The nodes waited for " + percent(profile.wait_share) + " of the time";
  const std::size_t nodes = profile.nodes.size();
  const std::size_t shards = job.shard_rows.size();
  if (shards < nodes) {
    return lost + ": " + std::to_string(shards) + (shards == 1 ? " shard keeps" : " shards keep") +
           " no more than " + std::to_string(shards) + " of " + std::to_string(nodes) +
           " nodes busy; cut the data into more files.";
  }
  if (shards % nodes != 0 && shards < 4 * nodes) {
    return lost + ": " + std::to_string(shards) + " shards do not share out evenly over " +
           std::to_string(nodes) + " nodes; a number of files that " + std::to_string(nodes) +
           " divides, or many more of them, would.";
  }
  if (unevenness(profile) > 1.5) {
    return lost +
           printed(": the slowest node takes %.1f times as long for a row as the fastest",
                   unevenness(profile)) +
           "; leave it out, or give it smaller shards.";
  }
  return lost + hindrance_in_words(job);
}

}  // namespace

JobProfile profile_of(const JobDetails& job, const std::vector<RoundReport>& rounds) {
  std::map<std::string, NodeProfile> names;
  for (const RoundReport& report : rounds) {
    for (const TaskReport& task : report.tasks) {
      names[task.node] = {};
    }
  }
  JobProfile profile;
  std::map<std::string, NodeProfile> sums;
  for (const RoundReport& report : rounds) {
    RoundProfile round = round_profile(job, report, names);
    profile.seconds += round.seconds;
    profile.aggregate += round.aggregate;
    profile.validate += round.validate;
    for (const NodeProfile& node : round.nodes) {
      add(sums[node.node], node);
      profile.rows += node.rows;
    }
    profile.rounds.push_back(std::move(round));
  }
  for (const auto& [name, node] : sums) {
    profile.nodes.push_back(node);
  }
  set_shares(profile);
  return profile;
}

std::string advice_on(const JobProfile& profile, const JobDetails& job) {
  if (profile.rounds.empty() || profile.nodes.empty()) {
    return "No round is finished yet.";
  }
  const std::size_t nodes = profile.nodes.size();
  if (nodes == 1) {
    return "One node did all of it; a second one could take half of the " +
           percent(profile.compute_share) + " that is computing.";
  }
  const double each =
      profile.compute_share * profile.seconds / static_cast<double>(profile.rounds.size());
  if (each < kShortRound && profile.compute_share < 0.5) {
    return printed("A node computes only %.2f ms a round", each * 1000) +
           "; longer rounds (more --epochs or --steps-per-round, fewer <rounds>) would pay for the"
           " way there and back.";
  }
  if (1 - profile.compute_share < kLittle) {
    return "Little is lost; more nodes would raise it, up to the " +
           std::to_string(job.shard_rows.size()) + " shards that a round has.";
  }
  const double most =
      std::max({profile.wait_share, profile.transfer_share, profile.aggregate_share});
  if (most == profile.wait_share) {
    return advice_on_waits(profile, job);
  }
  if (most == profile.transfer_share) {
    return "Transfer took " + percent(profile.transfer_share) +
           " of the time: longer rounds (more --epochs or --steps-per-round, fewer <rounds>) or a"
           " faster network would raise it.";
  }
  return "The coordinator's averaging took " + percent(profile.aggregate_share) +
         " of the time: longer rounds, or fewer and larger shards, would raise it.";
}

}  // namespace gradmill::client
