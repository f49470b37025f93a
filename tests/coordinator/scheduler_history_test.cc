// Long random lives of the scheduler, each from a seed that a failure prints. The cluster checks
// every answer, and the invariants after every event.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "coordinator/cluster.h"
#include "coordinator/core/policy/uniform_index.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 100;
#else
constexpr std::uint64_t kSeeds = 2000;
#endif

constexpr std::array<const char*, 3> kPolicies = {"random", "load-balancing", "round-robin"};

std::array<char, 64> seed_note{};

/// Names the seed on stderr also when a broken invariant aborts the test.
class SeedNote {
 public:
  explicit SeedNote(std::uint64_t seed) {
    static_cast<void>(std::snprintf(
        seed_note.data(), seed_note.size(), "seed %llu\n", static_cast<unsigned long long>(seed)));
    previous_ = std::signal(SIGABRT, [](int) {
      static_cast<void>(::write(STDERR_FILENO, seed_note.data(), seed_note.size()));
    });
  }
  SeedNote(const SeedNote&) = delete;
  SeedNote& operator=(const SeedNote&) = delete;
  ~SeedNote() { static_cast<void>(std::signal(SIGABRT, previous_)); }

 private:
  void (*previous_)(int) = nullptr;
};

/// Numbers from the seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : generator_(seed) {}
  std::size_t below(std::size_t size) { return uniform_index(generator_, size); }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(below(high - low + 1));
  }
  bool chance(unsigned percent) { return below(100) < percent; }
  Duration up_to(Duration longest) {
    return Duration(static_cast<Duration::rep>(below(static_cast<std::size_t>(longest.count()))));
  }

 private:
  std::mt19937_64 generator_;
};

/// Errors of four rounds, some of them equal.
std::vector<double> random_errors(Dice& dice) {
  std::vector<double> errors;
  for (int round = 0; round < 4; ++round) {
    errors.push_back(0.25 * static_cast<double>(dice.below(4)));
  }
  return errors;
}

/// One history: chaos for a while, then every node is well and whatever is left must end.
class History {
 public:
  explicit History(std::uint64_t seed)
      : dice_(seed), cluster_(kPolicies.at(seed % 3), 6s + dice_.up_to(20s), seed) {
    for (std::size_t nodes = dice_.below(4); nodes > 0; --nodes) {
      add_node();
    }
    cluster_.set_errors(random_errors(dice_));
  }

  void chaos(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      switch (dice_.below(8)) {
        case 0:
          return_or_submit();
          break;
        case 1:
          change_a_node();
          break;
        case 2:
          let_time_pass();
          break;
        case 3:
          close_something();
          break;
        default:
          answer_something();
      }
    }
  }

  void heal_and_end() {
    cluster_.add_node();
    for (NodeId node = 0; node < cluster_.nodes(); ++node) {
      if (!cluster_.is_up(node)) {
        cluster_.restart(node);
      }
    }
    drain();
    for (const std::string& job : jobs_) {
      EXPECT_TRUE(has_ended(cluster_.state(job))) << job;
    }
    cluster_.submit("afterwards", 5, 2);
    drain();
    EXPECT_EQ(cluster_.state("afterwards"), JobState::kSucceeded)
        << cluster_.job("afterwards").end.message;
    for (NodeId node = 0; node < cluster_.nodes(); ++node) {
      EXPECT_EQ(cluster_.in_flight(node), 0U);
    }
    EXPECT_EQ(cluster_.scheduler().wakeup(cluster_.now()), std::nullopt);
  }

 private:
  void add_node() {
    if (dice_.chance(80)) {
      cluster_.add_node(dice_.between(1, 3));
    } else {
      cluster_.add_dead_node();
    }
  }

  void return_or_submit() {
    if (jobs_.size() < 6 && dice_.chance(40)) {
      jobs_.push_back("job " + std::to_string(jobs_.size()));
      cluster_.submit(jobs_.back(), dice_.between(1, 8), dice_.between(1, 4), dice_.between(0, 2));
    } else if (!jobs_.empty() && dice_.chance(15)) {
      cluster_.cancel(jobs_[dice_.below(jobs_.size())]);  // It may have ended long ago.
    }
  }

  void change_a_node() {
    if (cluster_.nodes() == 0 || (cluster_.nodes() < 6 && dice_.chance(10))) {
      add_node();
      return;
    }
    const auto node = static_cast<NodeId>(dice_.below(cluster_.nodes()));
    if (dice_.chance(30)) {
      cluster_.down(node);
    } else if (dice_.chance(30)) {
      cluster_.restart(node);
    } else {
      cluster_.up(node);
    }
  }

  void let_time_pass() {
    if (dice_.chance(30)) {
      cluster_.jump(dice_.up_to(100ms));
    } else {
      cluster_.pass(dice_.up_to(dice_.chance(10) ? Duration(10s) : Duration(300ms)));
    }
  }

  void close_something() {
    if (cluster_.has_round_to_advance() && dice_.chance(60)) {
      dice_.chance(95) ? cluster_.advance_round() : cluster_.spoil_round();
    }
    if (cluster_.has_round_to_validate() && dice_.chance(60)) {
      cluster_.validate_round();
    }
    if (!jobs_.empty() && dice_.chance(20)) {
      // A duplicate, or of a round that is not at its end.
      const std::string& job = jobs_[dice_.below(jobs_.size())];
      if (!cluster_.has_round_to_advance()) {
        cluster_.advance_round(job, dice_.between(1, 4));
      }
      if (!cluster_.has_round_to_validate()) {
        cluster_.validate_round(job, dice_.between(1, 4));
      }
    }
  }

  void answer_something() {
    if (!past_.empty() && dice_.chance(10)) {
      cluster_.accept(past_[dice_.below(past_.size())]);
      return;
    }
    if (cluster_.offers().empty()) {
      return;
    }
    const TaskId task = cluster_.offers()[dice_.below(cluster_.offers().size())].task.id;
    past_.push_back(task);
    switch (dice_.below(30) == 0 ? 10 : dice_.below(10)) {
      case 0:
        return cluster_.refuse(task);
      case 1:
        return cluster_.fail(task);
      case 2:
        return cluster_.lose(task, "connection reset");
      case 3:
        return cluster_.lose(task, std::nullopt);
      case 4:
      case 5:
        return cluster_.finish(task);
      case 10:
        return cluster_.diverge(task);
      default:
        return cluster_.accept(task);
    }
  }

  void drain() {
    for (int step = 0; step < 2000 && !testing::Test::HasFailure(); ++step) {
      if (!cluster_.offers().empty()) {
        cluster_.complete(cluster_.offers()[dice_.below(cluster_.offers().size())].task.id);
      } else if (cluster_.has_round_to_advance()) {
        cluster_.advance_round();
      } else if (cluster_.has_round_to_validate()) {
        cluster_.validate_round();
      } else if (!cluster_.pass_to_wakeup()) {
        return;
      }
    }
    EXPECT_TRUE(cluster_.scheduler().live_jobs().empty());
  }

  Dice dice_;
  Cluster cluster_;
  std::vector<std::string> jobs_;
  std::vector<TaskId> past_;  // offers that were answered, or accepted at least
};

TEST(SchedulerHistory, NothingIsLostOrCountedTwiceAndAllEndsOnceFaultsStop) {
  for (std::uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SeedNote note(seed);
    History history(seed);
    history.chaos(250);
    history.heal_and_end();
  }
}

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

TEST(SchedulerHistory, EveryJobEndsWhateverTheNodesAreLikeForEver) {
  for (std::uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SeedNote note(seed);
    World(seed).run();
  }
}

}  // namespace
}  // namespace gradmill::coordinator
