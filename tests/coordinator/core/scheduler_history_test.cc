// Long random lives of the scheduler, each from a seed. The cluster checks every answer, and the
// invariants after every event.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"
#include "coordinator/core/random_life.h"

namespace gradmill::coordinator {
namespace {

using namespace std::chrono_literals;

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

}  // namespace
}  // namespace gradmill::coordinator
