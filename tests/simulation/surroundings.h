// What all parts of a history share.
#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "simulation/counts.h"
#include "simulation/dice.h"
#include "simulation/event_queue.h"

namespace gradmill::simulation {

/// Faults that wait for an opportunity. Each is counted when it strikes.
class Faults {
 public:
  Faults(Dice& dice, Counts& counts) : dice_(dice), counts_(counts) {}

  /// It strikes at one of the next opportunities.
  void arm(Fault fault) { ++armed_[static_cast<std::size_t>(fault)]; }
  void arm(CrashPoint point) { ++crashes_[static_cast<std::size_t>(point)]; }
  /// From now on it also strikes at any opportunity with this probability.
  void storm(Fault fault, double probability) {
    storms_[static_cast<std::size_t>(fault)] = probability;
  }
  void stop() {
    armed_ = {};
    crashes_ = {};
    storms_ = {};
  }
  /// At each opportunity.
  [[nodiscard]] bool strikes(Fault fault) {
    const auto n = static_cast<std::size_t>(fault);
    bool now = storms_[n] > 0 && dice_.chance(storms_[n]);
    if (!now && armed_[n] > 0 && dice_.chance(kSoon)) {
      --armed_[n];
      now = true;
    }
    if (now) {
      counts_.add(fault);
    }
    return now;
  }
  [[nodiscard]] bool strikes(CrashPoint point) {
    const auto n = static_cast<std::size_t>(point);
    if (crashes_[n] == 0 || !dice_.chance(kSoon)) {
      return false;
    }
    --crashes_[n];
    counts_.add(Fault::kCoordinatorCrash);
    counts_.add(point);
    return true;
  }

 private:
  static constexpr double kSoon = 0.5;

  Dice& dice_;
  Counts& counts_;
  std::array<std::uint32_t, kFaults> armed_{};
  std::array<std::uint32_t, kCrashPoints> crashes_{};
  std::array<double, kFaults> storms_{};
};

/// Chance, time, faults and books of one history.
class Surroundings {
 public:
  Surroundings(std::uint64_t seed, bool logging)
      : dice(seed), faults(dice, counts), logging_(logging) {}
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  /// Prints a line of the event log, if there is one; `text` is a function.
  template <class Text>
  void log(const Text& text) const {
    if (logging_) {
      const std::chrono::duration<double> time = queue.now() - EventQueue().now();
      static_cast<void>(std::printf("%10.6f  %s\n", time.count(), std::string(text()).c_str()));
    }
  }

  Dice dice;
  EventQueue queue;
  Counts counts;
  Faults faults;

 private:
  bool logging_;
};

}  // namespace gradmill::simulation
