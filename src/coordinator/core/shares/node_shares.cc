#include "coordinator/core/shares/node_shares.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "base/check.h"

namespace gradmill::coordinator {
namespace {

// How much a change must gain, in nodes, so that nodes do not go to and fro as costs vary.
constexpr double kHysteresis = 0.5;

using Slots = std::map<NodeId, std::uint32_t>;

double demand_of(const NodeDemand& job) { return job.cost * job.weight; }

/// At least as many nodes as jobs: each node has one job.
class Split {
 public:
  Split(std::span<const NodeDemand> jobs, const Slots& slots) : slots_(slots) {
    for (const NodeDemand& job : jobs) {
      holders_.push_back({.job = job.job, .demand = demand_of(job)});
    }
    set_quotas();
  }

  [[nodiscard]] NodeShares settle(const NodeShares& before) {
    give_as_before(before);
    while (!free_.empty()) {
      give(*neediest(), *std::max_element(free_.begin(), free_.end(), [this](NodeId a, NodeId b) {
        return slots_.at(a) != slots_.at(b) ? slots_.at(a) < slots_.at(b) : a > b;
      }));
    }
    while (move_one()) {
    }
    NodeShares shares;
    for (const Holder& holder : holders_) {
      shares[holder.job] = holder.nodes;
    }
    return shares;
  }

 private:
  struct Holder {
    JobNumber job = 0;
    double demand = 0;
    double quota = 0;  // in slots
    double held = 0;   // likewise
    std::set<NodeId> nodes{};

    [[nodiscard]] double lack() const { return quota - held; }
  };

  /// By demand; but each job has a right to the smallest node.
  void set_quotas() {
    double slots_left = 0;
    double least = std::numeric_limits<double>::max();
    for (const auto& [node, slots] : slots_) {
      slots_left += slots;
      least = std::min(least, static_cast<double>(slots));
    }
    std::vector<Holder*> open;
    for (Holder& holder : holders_) {
      open.push_back(&holder);
    }
    for (bool again = true; again && !open.empty();) {
      double demand = 0;
      for (const Holder* const holder : open) {
        demand += holder->demand;
      }
      for (Holder* const holder : open) {
        holder->quota = slots_left * holder->demand / demand;
      }
      const auto small = std::partition(
          open.begin(), open.end(), [&](const Holder* one) { return one->quota >= least; });
      again = small != open.end();
      for (auto one = small; one != open.end(); ++one) {
        (*one)->quota = least;
        slots_left -= least;
      }
      open.erase(small, open.end());
    }
  }

  void give_as_before(const NodeShares& before) {
    for (const auto& [node, slots] : slots_) {
      free_.insert(free_.end(), node);
    }
    for (Holder& holder : holders_) {
      const auto known = before.find(holder.job);
      if (known == before.end()) {
        continue;
      }
      for (const NodeId node : known->second) {
        if (free_.contains(node)) {
          give(holder, node);
        }
      }
    }
  }

  void give(Holder& holder, NodeId node) {
    free_.erase(node);
    holder.nodes.insert(node);
    holder.held += slots_.at(node);
  }

  /// Whoever has no node comes first.
  [[nodiscard]] Holder* neediest() {
    return &*std::min_element(
        holders_.begin(), holders_.end(), [](const Holder& one, const Holder& two) {
          return one.nodes.empty() != two.nodes.empty() ? one.nodes.empty()
                                                        : one.lack() > two.lack();
        });
  }

  /// Of those that can spare a node.
  [[nodiscard]] Holder* richest() {
    Holder* best = nullptr;
    for (Holder& holder : holders_) {
      if (holder.nodes.size() > 1 && (best == nullptr || holder.lack() < best->lack())) {
        best = &holder;
      }
    }
    return best;
  }

  /// The node whose move from `rich` makes the two most alike, if one gains enough.
  [[nodiscard]] std::optional<NodeId> worth_moving(const Holder& rich, const Holder& needy) const {
    const double gap = needy.lack() - rich.lack();
    std::optional<NodeId> best;
    double least = std::numeric_limits<double>::max();
    for (const NodeId node : rich.nodes) {
      const double slots = slots_.at(node);
      const double miss = std::abs(gap / 2 - slots);
      if ((needy.nodes.empty() || gap > slots * (1 + kHysteresis)) && miss <= least) {
        best = node;
        least = miss;
      }
    }
    return best;
  }

  bool move_one() {
    Holder* const rich = richest();
    Holder* const needy = neediest();
    const std::optional<NodeId> node =
        rich == nullptr || rich == needy ? std::nullopt : worth_moving(*rich, *needy);
    if (!node) {
      return false;
    }
    rich->nodes.erase(*node);
    rich->held -= slots_.at(*node);
    give(*needy, *node);
    return true;
  }

  const Slots& slots_;
  std::vector<Holder> holders_;
  std::set<NodeId> free_;
};

/// Fewer nodes than jobs: each job has one node.
class Crowd {
 public:
  Crowd(std::span<const NodeDemand> jobs, const Slots& slots) : jobs_(jobs.begin(), jobs.end()) {
    std::stable_sort(jobs_.begin(), jobs_.end(), [](const NodeDemand& one, const NodeDemand& two) {
      return demand_of(one) > demand_of(two);
    });
    for (const auto& [node, count] : slots) {
      hosts_.push_back({.node = node, .slots = static_cast<double>(count)});
    }
  }

  [[nodiscard]] NodeShares settle(const NodeShares& before) {
    std::vector<NodeDemand> homeless;
    for (const NodeDemand& job : jobs_) {
      Host* const host = host_before(job.job, before);
      if (host != nullptr) {
        host->add(job);
      } else {
        homeless.push_back(job);
      }
    }
    for (const NodeDemand& job : homeless) {
      emptiest()->add(job);
    }
    while (move_one()) {
    }
    NodeShares shares;
    for (const Host& host : hosts_) {
      for (const NodeDemand& job : host.jobs) {
        shares[job.job] = {host.node};
      }
    }
    return shares;
  }

 private:
  struct Host {
    NodeId node = 0;
    double slots = 1;
    double load = 0;  // demand of a slot
    std::vector<NodeDemand> jobs{};

    void add(const NodeDemand& job) {
      jobs.push_back(job);
      load += demand_of(job) / slots;
    }
  };

  [[nodiscard]] Host* host_before(JobNumber job, const NodeShares& before) {
    const auto known = before.find(job);
    Host* best = nullptr;
    for (Host& host : hosts_) {
      const bool was_here = known != before.end() && known->second.contains(host.node);
      if (was_here && (best == nullptr || host.load < best->load)) {
        best = &host;
      }
    }
    return best;
  }

  [[nodiscard]] Host* emptiest() {
    return &*std::min_element(hosts_.begin(), hosts_.end(), [](const Host& one, const Host& two) {
      return one.load < two.load;
    });
  }

  /// Of those that can spare a job.
  [[nodiscard]] Host* fullest() {
    Host* best = nullptr;
    for (Host& host : hosts_) {
      if (host.jobs.size() > 1 && (best == nullptr || host.load > best->load)) {
        best = &host;
      }
    }
    return best;
  }

  bool move_one() {
    Host* const full = fullest();
    Host* const empty = emptiest();
    if (full == nullptr || full == empty) {
      return false;
    }
    // Costly jobs come first: the first one that gains enough changes most.
    const auto job = std::find_if(full->jobs.begin(), full->jobs.end(), [&](const NodeDemand& one) {
      return empty->jobs.empty() ||
             empty->load + (1 + kHysteresis) * demand_of(one) / empty->slots < full->load;
    });
    if (job == full->jobs.end()) {
      return false;
    }
    const NodeDemand moved = *job;
    full->jobs.erase(job);
    full->load -= demand_of(moved) / full->slots;
    empty->add(moved);
    return true;
  }

  std::vector<NodeDemand> jobs_;
  std::vector<Host> hosts_;
};

}  // namespace

NodeShares share_out(std::span<const NodeDemand> jobs,
                     std::span<const NodeSupply> nodes,
                     const NodeShares& before) {
  if (jobs.empty() || nodes.empty()) {
    return {};
  }
  Slots slots;
  for (const NodeSupply& node : nodes) {
    slots[node.node] = std::max(1U, node.slots);
  }
  GRADMILL_CHECK(slots.size() == nodes.size());
  GRADMILL_CHECK(std::all_of(
      jobs.begin(), jobs.end(), [](const NodeDemand& job) { return demand_of(job) > 0; }));
  return jobs.size() <= slots.size() ? Split(jobs, slots).settle(before)
                                     : Crowd(jobs, slots).settle(before);
}

}  // namespace gradmill::coordinator
