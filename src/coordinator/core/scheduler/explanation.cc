#include "coordinator/core/scheduler/explanation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gradmill::coordinator {
namespace {

struct Reason {
  std::string code;
  std::string message;
};

std::string milliseconds_in_words(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(duration).count()) + " ms";
}

std::string in_words(const std::set<std::string>& jobs) {
  std::string words = jobs.size() == 1 ? "job " : "jobs ";
  for (const std::string& job : jobs) {
    words += (job == *jobs.begin() ? "" : ", ") + job;
  }
  return words;
}

/// So many tasks of the job, as it calls them.
std::string tasks_in_words(const Job& job, std::uint64_t count) {
  const std::string plural = count == 1 ? "" : job.prediction ? "es" : "s";
  return std::to_string(count) + (job.prediction ? " batch" : " task") + plural;
}

/// Pending tasks that stand for all: those that nodes did not take or could not do, and one of the
/// others, which are alike.
std::vector<std::uint32_t> examples_of_pending(const Job& job) {
  if (!job.round) {
    return {};
  }
  const std::set<std::uint32_t>& choosy = job.round->choosy();
  std::vector<std::uint32_t> tasks(choosy.begin(), choosy.end());
  const std::set<std::uint32_t>& pending = job.round->pending();
  const auto alike = std::find_if(
      pending.begin(), pending.end(), [&](std::uint32_t task) { return !choosy.contains(task); });
  if (alike != pending.end()) {
    tasks.push_back(*alike);
  }
  return tasks;
}

/// One node and one job, which runs and has a round where the functions below say so.
class Look {
 public:
  /// `pending`: see examples_of_pending().
  Look(const Scheduler& scheduler,
       const Job& job,
       std::span<const std::uint32_t> pending,
       NodeId id,
       TimePoint now)
      : scheduler_(scheduler),
        job_(job),
        pending_(pending),
        id_(id),
        node_(scheduler.nodes().at(id)),
        now_(now) {}

  [[nodiscard]] std::uint32_t offers() const {
    return static_cast<std::uint32_t>(
        std::count_if(node_.offers.begin(), node_.offers.end(), [&](const TaskId& task) {
          return task.job == job_.id;
        }));
  }

  [[nodiscard]] std::optional<double> recent_share() const {
    return runs() ? node_.recent_work.share(job_.number) : std::nullopt;
  }

  /// What the node has of the job.
  [[nodiscard]] std::string holdings(std::uint64_t done) const {
    std::string words = "has " + tasks_in_words(job_, offers()) + " at work, " +
                        std::to_string(queued()) + " queued and " + std::to_string(done) + " done";
    if (const std::optional<double> share = recent_share()) {
      words += "; " + std::to_string(std::lround(100 * *share)) + " % of its recent time";
    }
    return words;
  }

  [[nodiscard]] std::uint32_t queued() const {
    const auto queue = node_.queues.find(job_.number);
    return queue == node_.queues.end() ? 0 : static_cast<std::uint32_t>(queue->second.size());
  }

  /// Why the node has no offer of the job: the first of the reasons that holds.
  [[nodiscard]] Reason reason() const {
    for (const auto& look : {&Look::by_state,
                             &Look::by_job,
                             &Look::by_pauses,
                             &Look::by_mode,
                             &Look::by_need,
                             &Look::by_suspects,
                             &Look::by_refusals,
                             &Look::by_slots}) {
      if (std::optional<Reason> reason = (this->*look)()) {
        return *std::move(reason);
      }
    }
    return {"policy", "the policy keeps what waits for nodes that should be done sooner"};
  }

 private:
  using Finding = std::optional<Reason>;

  [[nodiscard]] Finding by_state() const {
    return node_.state == NodeState::kAlive
               ? std::nullopt
               : Finding({std::string(name_of(node_.state)), node_.trouble});
  }

  [[nodiscard]] Finding by_job() const {
    if (!runs()) {
      const std::size_t ahead = scheduler_.ahead(job_);
      return Reason{"not_running",
                    "the job is " + std::string(name_of(job_.state)) +
                        (ahead > 0 ? ", with " + std::to_string(ahead) + " before it" : "")};
    }
    return job_.round ? std::nullopt
                      : Finding({"nothing_waits", "what comes next waits for a save"});
  }

  [[nodiscard]] Finding by_pauses() const {
    if (node_.aside_until > now_) {
      return Reason{"set_aside",
                    "for " + milliseconds_in_words(node_.aside_until - now_) +
                        " more after a fault: " + node_.last_fault};
    }
    if (node_.busy_until > now_) {
      return Reason{
          "no_room",
          "it had no room; asked again in " + milliseconds_in_words(node_.busy_until - now_)};
    }
    return std::nullopt;
  }

  [[nodiscard]] Finding by_need() const {
    if (queued() > 0) {
      return by_slots();
    }
    if (!job_.round->pending().empty()) {
      return std::nullopt;
    }
    if (job_.round->complete()) {
      return Reason{"nothing_waits", "all results of the round are in"};
    }
    return Reason{"nothing_waits",
                  job_.prediction ? "no batch waits: all so far are at other nodes or done"
                                  : "no task waits: all of the round are at other nodes or done"};
  }

  [[nodiscard]] Finding by_suspects() const {
    const std::optional<JobNumber> holder =
        node_.drained ? std::optional(node_.drained->job) : node_.reserved;
    return holder ? Finding({"kept_for_suspect",
                             "a task of job " + name_of_job(*holder) + " must run alone on it"})
                  : std::nullopt;
  }

  [[nodiscard]] Finding by_mode() const {
    const bool is_open = std::any_of(pending_.begin(), pending_.end(), [&](std::uint32_t task) {
      return scheduler_.is_open_to(job_, task, id_);
    });
    if (is_open || scheduler_.serves(id_, job_) ||
        !scheduler_.node_shares().contains(job_.number)) {
      return std::nullopt;
    }
    std::set<std::string> owners;
    for (const auto& [number, nodes] : scheduler_.node_shares()) {
      if (nodes.contains(id_)) {
        owners.insert(name_of_job(number));
      }
    }
    return Reason{"other_jobs_node",
                  owners.empty() ? "it is being shared out"
                                 : "it belongs to " + in_words(owners) + " (local scheduling)"};
  }

  [[nodiscard]] Finding by_refusals() const {
    std::optional<TimePoint> forgiven_at;
    bool has_refused = false;
    for (const std::uint32_t pending : pending_) {
      const Round::Task& task = job_.round->task(pending);
      if (!task.refused_by.contains(id_) && !task.diverged_on.contains(id_)) {
        return std::nullopt;
      }
      has_refused = has_refused || task.refused_by.contains(id_);
      if (task.forgiven_at && *task.forgiven_at > now_) {
        forgiven_at = std::min(forgiven_at.value_or(TimePoint::max()), *task.forgiven_at);
      }
    }
    if (!has_refused) {
      return Reason{"diverged", "the loss of what waits was not finite on it"};
    }
    return Reason{
        "refused",
        "its simulated load refused what waits" +
            (forgiven_at ? "; asked again in " + milliseconds_in_words(*forgiven_at - now_)
                         : std::string())};
  }

  [[nodiscard]] Finding by_slots() const {
    if (node_.offers.size() < node_.open_slots()) {
      return std::nullopt;
    }
    std::set<std::string> holders;
    for (const TaskId& task : node_.offers) {
      holders.insert(task.job);
    }
    const JobNumber next = next_here();
    return Reason{"slots_taken",
                  (node_.open_slots() == 1 ? "its slot holds " : "its slots hold ") +
                      in_words(holders) + ", whose turn came first; the next free one is for " +
                      (next == job_.number ? "this job" : "job " + name_of_job(next))};
  }

  /// The job that gets the next slot of the node.
  [[nodiscard]] JobNumber next_here() const {
    std::vector<JobNumber> waiting;
    for (const auto& [number, job] : scheduler_.running()) {
      const bool waits = job->round && !job->round->pending().empty() && job->round->wants(id_) &&
                         scheduler_.serves(id_, *job);
      if (waits || node_.queues.contains(number) || number == job_.number) {
        waiting.push_back(number);
      }
    }
    return *scheduler_.shares().first(waiting);
  }

  [[nodiscard]] bool runs() const { return scheduler_.running().contains(job_.number); }

  [[nodiscard]] std::string name_of_job(JobNumber number) const {
    const auto job = scheduler_.running().find(number);
    return job == scheduler_.running().end() ? "that has ended" : job->second->id;
  }

  const Scheduler& scheduler_;
  const Job& job_;
  std::span<const std::uint32_t> pending_;
  NodeId id_;
  const Node& node_;
  TimePoint now_;
};

/// What nodes did for a job that has ended, members or not.
std::vector<NodeExplanation> deeds(const Scheduler& scheduler, const Job& job) {
  std::map<std::string, NodeTally> tallies = scheduler.tallies(job);
  for (NodeId id = 0; id < scheduler.nodes().size(); ++id) {
    if (!scheduler.nodes().at(id).forgotten) {
      tallies.try_emplace(scheduler.nodes().at(id).address.text());
    }
  }
  std::vector<NodeExplanation> nodes;
  for (const auto& [address, tally] : tallies) {
    NodeExplanation& node = nodes.emplace_back();
    node.node = address;
    node.tasks = tally.tasks;
    if (tally.tasks > 0) {
      node.message = "did " + tasks_in_words(job, tally.tasks);
    } else {
      node.reason = "ended";
      node.message = "nothing that it did counted before the job ended";
    }
  }
  return nodes;
}

}  // namespace

JobExplanation explain(const Scheduler& scheduler, const Job& job, TimePoint now) {
  JobExplanation explanation;
  explanation.job = job.id;
  explanation.predicts = job.prediction.has_value();
  explanation.state = job.state;
  explanation.scheduling = scheduler.scheduling();
  explanation.waiting =
      job.round ? static_cast<std::uint32_t>(job.round->pending().size()) : std::uint32_t{0};
  if (has_ended(job.state)) {
    explanation.nodes = deeds(scheduler, job);
    return explanation;
  }
  const std::map<std::string, NodeTally> tallies = scheduler.tallies(job);
  const std::vector<std::uint32_t> pending = examples_of_pending(job);
  for (NodeId id = 0; id < scheduler.nodes().size(); ++id) {
    const Node& known = scheduler.nodes().at(id);
    if (known.forgotten) {
      continue;
    }
    const Look look(scheduler, job, pending, id, now);
    NodeExplanation& node = explanation.nodes.emplace_back();
    node.node = known.address.text();
    node.offers = look.offers();
    node.queued = look.queued();
    const auto tally = tallies.find(node.node);
    node.tasks = tally == tallies.end() ? 0 : tally->second.tasks;
    node.recent_share = look.recent_share();
    if (node.offers > 0) {
      node.message = look.holdings(node.tasks);
    } else {
      Reason reason = look.reason();
      node.reason = std::move(reason.code);
      node.message = std::move(reason.message);
    }
  }
  return explanation;
}

}  // namespace gradmill::coordinator
