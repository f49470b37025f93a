#include "simulation/offer_monitor.h"

#include "simulation/violation.h"

namespace gradmill::simulation {
namespace {

std::string text_of(const TaskId& task) {
  return task.job + " round " + std::to_string(task.round) + " shard " +
         std::to_string(task.shard) + " offer " + std::to_string(task.offer);
}

}  // namespace

void OfferMonitor::offered(const coordinator::OfferTask& offer, const coordinator::Node& node) {
  const TaskId& id = offer.offer.id;
  if (!seen_.insert(id).second) {
    throw Violation("offer_unique", text_of(id) + " is offered twice");
  }
  std::uint32_t out = 0;
  for (const auto& [task, other] : offers_) {
    out += other.node == offer.node ? 1U : 0U;
    if (other.wanted && other.node == offer.node && content_of(task) == content_of(id)) {
      throw Violation("two_offers_at_most", text_of(id) + " is at this node already");
    }
  }
  if (out >= node.slots) {
    throw Violation("slots", text_of(id) + " goes to a node without a free slot");
  }
  std::set<TaskId>& wanted = wanted_[content_of(id)];
  if (wanted.size() >= 2) {
    throw Violation("two_offers_at_most", text_of(id) + " is a third one");
  }
  wanted.insert(id);
  offers_[id] = {offer.node, node.hello.incarnation, true};
  counts_.add(Tally::kOffers);
}

void OfferMonitor::unwant(const TaskId& task, Offer& offer) {
  offer.wanted = false;
  const auto found = wanted_.find(content_of(task));
  found->second.erase(task);
  if (found->second.empty()) {
    wanted_.erase(found);
  }
}

void OfferMonitor::cancelled(const coordinator::CancelTask& cancel) {
  const auto found = offers_.find(cancel.task);
  if (found == offers_.end() || !found->second.wanted || found->second.node != cancel.node) {
    throw Violation("cancel_once", text_of(cancel.task) + " is cancelled, and is not wanted");
  }
  unwant(cancel.task, found->second);
}

void OfferMonitor::ended(const TaskId& task, bool with_result) {
  const auto found = offers_.find(task);
  const bool counts = found->second.wanted && with_result;
  if (found->second.wanted) {
    unwant(task, found->second);
  }
  offers_.erase(found);
  if (counts) {
    ++counted_[task.job];
    counts_.add(Tally::kResultsCounted);
  } else if (with_result) {
    counts_.add(Tally::kResultsLate);
  }
}

void OfferMonitor::voids(coordinator::NodeId node, const std::string& incarnation) {
  for (const auto& [task, offer] : offers_) {
    if (offer.node == node && offer.wanted && offer.incarnation != incarnation) {
      throw Violation("lease_voided", text_of(task) + " still counts, though its node failed");
    }
  }
}

void OfferMonitor::forgotten(const std::string& job) {
  std::erase_if(seen_, [&](const TaskId& task) { return task.job == job; });
  counted_.erase(job);
}

void OfferMonitor::after_event(const coordinator::Scheduler& scheduler) const {
  check_counts(scheduler);
  check_tasks(scheduler);
}

void OfferMonitor::check_counts(const coordinator::Scheduler& scheduler) const {
  for (const auto& [id, expected] : counted_) {
    const coordinator::Job* const job = scheduler.find(id);
    std::uint64_t counted = 0;
    for (const auto& [node, tally] :
         job == nullptr ? std::map<coordinator::NodeId, coordinator::NodeTally>{} : job->tallies) {
      counted += tally.tasks;
    }
    if (job != nullptr && counted != expected) {
      throw Violation("counted_once",
                      std::to_string(counted) + " results of " + id + " were counted, and " +
                          std::to_string(expected) + " were to be");
    }
  }
}

void OfferMonitor::check_tasks(const coordinator::Scheduler& scheduler) const {
  std::size_t leased = 0;
  for (const std::string& id : scheduler.jobs()) {
    const coordinator::Job& job = *scheduler.find(id);
    for (std::uint32_t shard = job.round ? job.round->first() : 0;
         job.round && shard < job.round->size();
         ++shard) {
      const coordinator::Round::Task& task = job.round->task(shard);
      leased += task.leases.size();
      const bool waits = task.place == coordinator::Round::Place::kPending;
      if (waits != job.round->pending().contains(shard)) {
        throw Violation("task_lost",
                        "shard " + std::to_string(shard) + " of " + id + " waits for ever");
      }
    }
  }
  std::size_t wanted = 0;
  for (const auto& [content, tasks] : wanted_) {
    wanted += tasks.size();
  }
  if (leased != wanted) {
    throw Violation("leases_match_offers",
                    std::to_string(leased) + " leases, and " + std::to_string(wanted) +
                        " offers that are wanted");
  }
}

}  // namespace gradmill::simulation
