// Random clusters whose nodes are good, bad or odd for ever, each from a seed. The cluster checks
// every answer, and the invariants after every event.
#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "coordinator/core/random_life.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;

/// What a node is like, for ever.
enum class Kind {
  kGood,
  kLoaded,          ///< Refuses every second offer.
  kRefuses,         ///< Refuses all.
  kGarbage,         ///< Fails without accepting.
  kGarbageLater,    ///< Accepts, and fails.
  kDrops,           ///< Drops the connection instead of accepting.
  kBusy,            ///< Never has room.
  kCrashes,         ///< Accepts, dies, and is restarted after a while.
  kHandsBack,       ///< Accepts, and gives it back.
  kAcceptsRefuses,  ///< Accepts, and refuses.
  kDiverges,        ///< Says of every task that its loss became infinite.
  kSilent,          ///< Has never answered.
};
constexpr std::size_t kKinds = 12;

/// A cluster whose nodes keep to their kinds, with latencies, on simulated time.
class World {
 public:
  explicit World(std::uint64_t seed) : dice_(seed), cluster_(kPolicies.at(seed % 3), 60s, seed) {
    for (std::uint32_t nodes = dice_.between(1, 4); nodes > 0; --nodes) {
      kinds_.push_back(static_cast<Kind>(dice_.below(kKinds)));
      if (kinds_.back() == Kind::kSilent) {
        cluster_.add_dead_node();
      } else {
        cluster_.add_node(dice_.between(1, 3));
      }
    }
    cluster_.set_errors(random_errors(dice_));
    for (const char* job : {"first", "second"}) {
      cluster_.submit(job, dice_.between(1, 8), dice_.between(1, 4), dice_.between(0, 2));
    }
  }

  void run() {
    const TimePoint start = cluster_.now();
    while (!cluster_.scheduler().live_jobs().empty() && !testing::Test::HasFailure()) {
      step();
      const double seconds = std::chrono::duration<double>(cluster_.now() - start).count();
      ASSERT_LT(seconds, 3600) << "the jobs never end";
      // No loop is busy: 8 tasks at 4 nodes that refuse, every 50 ms at first and 0.67 s later.
      ASSERT_LT(static_cast<double>(cluster_.offers_made()), 1000 + 60 * seconds);
      ASSERT_LT(static_cast<double>(cluster_.ticks()), 1000 + 60 * seconds);
    }
    if (must_succeed()) {
      for (const char* job : {"first", "second"}) {
        EXPECT_EQ(cluster_.state(job), JobState::kSucceeded) << cluster_.job(job).end.message;
      }
    }
  }

 private:
  /// With a node that does its work, none that takes down what it begins, and no two that agree
  /// on a divergence.
  [[nodiscard]] bool must_succeed() const {
    bool good = false;
    if (std::count(kinds_.begin(), kinds_.end(), Kind::kDiverges) > 1) {
      return false;
    }
    for (const Kind kind : kinds_) {
      good |= kind == Kind::kGood || kind == Kind::kLoaded;
      if (kind == Kind::kCrashes || kind == Kind::kHandsBack || kind == Kind::kAcceptsRefuses) {
        return false;
      }
    }
    return good;
  }

  /// The next thing that happens: a node's, or a wake-up, whichever comes first.
  void step() {
    for (const Cluster::Offer& offer : cluster_.offers()) {
      if (known_.insert(offer.task.id).second) {
        after(2ms + dice_.up_to(20ms), {offer.node, offer.task.id, false});
      }
    }
    if (cluster_.has_round_to_advance()) {
      cluster_.advance_round();
      return;
    }
    if (cluster_.has_round_to_validate() && (plans_.empty() || dice_.chance(30))) {
      cluster_.validate_round();
      return;
    }
    if (plans_.empty()) {
      ASSERT_TRUE(cluster_.pass_to_wakeup()) << "nothing will ever happen again";
      return;
    }
    const TimePoint next = plans_.begin()->first;
    if (next > cluster_.now()) {
      if (cluster_.pass_to_wakeup(next - cluster_.now())) {
        return;
      }
      cluster_.jump(next - cluster_.now());
    }
    const Plan plan = plans_.begin()->second;
    plans_.erase(plans_.begin());
    act(plan);
  }

  struct Plan {
    NodeId node = 0;
    std::optional<TaskId> task;  ///< Nothing: the node comes back.
    bool begun = false;
  };

  void after(Duration delay, const Plan& plan) { plans_.emplace(cluster_.now() + delay, plan); }

  void act(const Plan& plan) {
    if (!plan.task) {
      cluster_.restart(plan.node);
      return;
    }
    const TaskId& task = *plan.task;
    const Kind kind = kinds_.at(plan.node);
    if (cluster_.is_cancelled(task)) {
      cluster_.lose(task, std::nullopt);
    } else if (plan.begun) {
      end(kind, plan.node, task);
    } else if (kind == Kind::kRefuses || (kind == Kind::kLoaded && dice_.chance(50))) {
      cluster_.refuse(task);
    } else if (kind == Kind::kGarbage) {
      cluster_.fail(task);
    } else if (kind == Kind::kDrops) {
      cluster_.lose(task, "connection reset");
    } else if (kind == Kind::kBusy) {
      cluster_.lose(task, std::nullopt);
    } else {
      cluster_.accept(task);
      after(dice_.up_to(500ms), {plan.node, task, true});
    }
  }

  void end(Kind kind, NodeId node, const TaskId& task) {
    switch (kind) {
      case Kind::kGarbageLater:
        return cluster_.fail(task);
      case Kind::kHandsBack:
        return cluster_.lose(task, std::nullopt);
      case Kind::kAcceptsRefuses:
        return cluster_.refuse(task);
      case Kind::kDiverges:
        return cluster_.diverge(task);
      case Kind::kCrashes:
        cluster_.down(node);
        after(dice_.up_to(3s), {node, std::nullopt, false});
        return cluster_.lose(task, "connection reset");
      default:
        return cluster_.finish(task);
    }
  }

  Dice dice_;
  Cluster cluster_;
  std::vector<Kind> kinds_;  // by node
  std::set<TaskId> known_;
  std::multimap<TimePoint, Plan> plans_;
};

TEST(SchedulerWorld, EveryJobEndsWhateverTheNodesAreLikeForEver) {
  for (std::uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SeedNote note(seed);
    World(seed).run();
  }
}

}  // namespace
}  // namespace gradmill::coordinator
