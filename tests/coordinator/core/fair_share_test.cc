#include "coordinator/core/shares/fair_share.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace gradmill::coordinator {
namespace {

/// A few slots that are never idle, and jobs that always have a next task.
class Slots {
 public:
  explicit Slots(std::size_t slots) : slots_(slots) {}

  void add(JobNumber job, WorkKind kind, const JobShare& share, double seconds, double rows) {
    shares_.add(job, kind, share);
    jobs_[job] = {seconds, rows};
  }
  void remove(JobNumber job) {
    shares_.remove(job);
    jobs_.erase(job);
  }
  [[nodiscard]] double now() const { return now_; }
  /// Of the slots, since the beginning.
  [[nodiscard]] double seconds_of(JobNumber job) { return given_[job].seconds; }
  /// Answered between two times.
  [[nodiscard]] double rows_of(JobNumber job, double from, double to) const {
    double rows = 0;
    for (const Served& one : served_) {
      rows += one.job == job && one.at >= from && one.at < to ? one.rows : 0;
    }
    return rows;
  }
  [[nodiscard]] std::optional<double> first_start(JobNumber job) const {
    const auto found = started_.find(job);
    return found == started_.end() ? std::nullopt : std::optional(found->second);
  }

  void run_until(double end) {
    for (;;) {
      auto next = std::min_element(slots_.begin(), slots_.end(), [](const Slot& a, const Slot& b) {
        return a.free_at < b.free_at;
      });
      if (next->free_at >= end) {
        now_ = end;
        return;
      }
      now_ = std::max(now_, next->free_at);
      finish(*next);
      begin(*next);
    }
  }

 private:
  struct Slot {
    double free_at = 0;
    std::optional<FairShare::Charge> charge{};
    double began = 0;
  };
  struct Served {
    JobNumber job = 0;
    double at = 0;
    double rows = 0;
  };

  void finish(Slot& slot) {
    if (slot.charge) {
      const TaskCost cost{now_ - slot.began, slot.charge->cost.rows};
      shares_.settle(*slot.charge, cost);
      given_[slot.charge->job].seconds += cost.seconds;
      served_.push_back({slot.charge->job, now_, cost.rows});
    }
  }
  void begin(Slot& slot) {
    std::vector<JobNumber> waiting;
    for (const auto& [job, cost] : jobs_) {
      waiting.push_back(job);
    }
    const JobNumber job = shares_.first(waiting).value();
    const TaskCost& cost = jobs_.at(job);
    started_.try_emplace(job, now_);
    slot.charge = shares_.charge(job, cost);
    slot.began = now_;
    slot.free_at = now_ + cost.seconds * std::uniform_real_distribution<>(0.8, 1.2)(dice_);
  }

  FairShare shares_;
  std::map<JobNumber, TaskCost> jobs_;
  std::vector<Slot> slots_;
  std::map<JobNumber, TaskCost> given_;
  std::map<JobNumber, double> started_;
  std::vector<Served> served_;
  std::mt19937_64 dice_{1};
  double now_ = 0;
};

TEST(FairShare, TrainingJobsGetSlotTimeByWeightWhateverTheirTasksCost) {
  Slots slots(3);
  slots.add(1, WorkKind::kTraining, {.weight = 1}, 0.2, 1);
  slots.add(2, WorkKind::kTraining, {.weight = 3}, 0.01, 1);
  slots.run_until(60);
  EXPECT_NEAR(slots.seconds_of(2) / slots.seconds_of(1), 3, 0.1);
}

TEST(FairShare, PredictionJobsAnswerAtEqualRatesInEveryTenSeconds) {
  Slots slots(4);
  slots.add(1, WorkKind::kTraining, {}, 0.1, 1000);
  slots.add(2, WorkKind::kPrediction, {}, 0.2, 500);
  slots.run_until(7);
  slots.add(3, WorkKind::kPrediction, {}, 0.015, 500);
  slots.run_until(70);
  for (double from = 12; from + 10 <= 70; from += 0.25) {
    const double one = slots.rows_of(2, from, from + 10);
    const double two = slots.rows_of(3, from, from + 10);
    EXPECT_NEAR(one / two, 1, 0.1) << "from " << from;
  }
  EXPECT_NEAR(slots.seconds_of(1), 7 * 4 / 2 + 63 * 4 / 3, 3) << "the group weighs two from 7 s on";
}

TEST(FairShare, PredictionJobsAnswerByWeight) {
  Slots slots(2);
  slots.add(1, WorkKind::kPrediction, {.weight = 4}, 0.05, 100);
  slots.add(2, WorkKind::kPrediction, {.weight = 1}, 0.05, 300);
  slots.run_until(60);
  EXPECT_NEAR(slots.rows_of(1, 0, 60) / slots.rows_of(2, 0, 60), 4, 0.2);
}

TEST(FairShare, ANewJobGetsTheNextSlotAndNoMoreThanItsShare) {
  for (const WorkKind kind : {WorkKind::kTraining, WorkKind::kPrediction}) {
    Slots slots(2);
    slots.add(1, WorkKind::kTraining, {}, 0.08, 1);
    slots.add(2, WorkKind::kPrediction, {}, 0.08, 1);
    slots.run_until(30);
    slots.add(3, kind, {}, 0.08, 1);
    const double before = slots.seconds_of(1);
    slots.run_until(90);
    EXPECT_LE(slots.first_start(3).value() - 30, 0.1);
    EXPECT_NEAR(slots.seconds_of(3), 40, 1);
    EXPECT_NEAR(slots.seconds_of(1) - before, 40, 1);
  }
}

TEST(FairShare, AHigherPriorityIsServedFirst) {
  Slots slots(1);
  slots.add(1, WorkKind::kTraining, {.weight = 1000}, 0.1, 1);
  slots.run_until(5);
  slots.add(2, WorkKind::kTraining, {.priority = 1}, 0.1, 1);
  slots.run_until(20);
  EXPECT_NEAR(slots.seconds_of(2), 15, 0.5);
  slots.remove(2);
  slots.run_until(30);
  EXPECT_NEAR(slots.seconds_of(1), 15, 0.5);
}

TEST(FairShare, WhatCameToNothingCostsNothing) {
  FairShare shares;
  shares.add(1, WorkKind::kTraining, {});
  shares.add(2, WorkKind::kTraining, {});
  const std::array<JobNumber, 2> both = {1, 2};
  shares.settle(shares.charge(2, {1, 1}), {1, 1});
  for (int refusals = 0; refusals < 100; ++refusals) {
    EXPECT_EQ(shares.first(both), 1U);
    shares.settle(shares.charge(1, {1, 1}), {});
  }
  static_cast<void>(shares.charge(1, {2, 1}));
  EXPECT_EQ(shares.first(both), 2U);
}

TEST(FairShare, AJobWithoutWorkSavesNothingUp) {
  FairShare shares;
  shares.add(1, WorkKind::kTraining, {});
  shares.add(2, WorkKind::kTraining, {});
  const std::array<JobNumber, 2> both = {1, 2};
  static_cast<void>(shares.charge(1, {1, 1}));
  for (int alone = 0; alone < 100; ++alone) {
    static_cast<void>(shares.charge(2, {1, 1}));
  }
  shares.arrived(1);
  int turns = 0;
  for (int n = 0; n < 20; ++n) {
    const JobNumber next = shares.first(both).value();
    turns += next == 1 ? 1 : 0;
    static_cast<void>(shares.charge(next, {1, 1}));
  }
  EXPECT_NEAR(turns, 10, 1);
}

TEST(FairShare, RegroupingForgetsWhatWasAndPoolsDoNotTouchEachOther) {
  FairShare shares;
  for (const JobNumber job : {1, 2, 3}) {
    shares.add(job, WorkKind::kTraining, {});
    static_cast<void>(shares.charge(job, {0, 1}));
  }
  const FairShare::Charge before = shares.charge(1, {50, 1});
  shares.regroup({{1, 1}, {2, 1}, {3, 2}});
  shares.settle(before, {});
  const std::array<JobNumber, 2> both = {1, 2};
  int turns = 0;
  for (int n = 0; n < 20; ++n) {
    static_cast<void>(shares.charge(3, {100, 1}));
    shares.arrived(1);
    const JobNumber next = shares.first(both).value();
    turns += next == 1 ? 1 : 0;
    static_cast<void>(shares.charge(next, {1, 1}));
  }
  EXPECT_NEAR(turns, 10, 1) << "whatever another pool is given";
  shares.regroup({});
  EXPECT_EQ(shares.first(both), 1U) << "equal again";
}

}  // namespace
}  // namespace gradmill::coordinator
