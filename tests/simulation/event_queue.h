// Simulated time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "simulation/dice.h"

namespace gradmill::simulation {

/// What is to happen, in order of its time, and of its planning where times are equal.
class EventQueue {
 public:
  using Event = std::function<void()>;

  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  void at(TimePoint time, Event event) {
    heap_.push_back({std::max(time, now_), planned_++, std::move(event)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  void after(Duration delay, Event event) { at(now_ + delay, std::move(event)); }

  /// Moves the clock to the next event, which there must be, and lets it happen.
  void step() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Entry next = std::move(heap_.back());
    heap_.pop_back();
    now_ = next.time;
    ++steps_;
    next.event();
  }

 private:
  struct Entry {
    TimePoint time;
    std::uint64_t order = 0;
    Event event;
  };
  static bool later(const Entry& one, const Entry& other) {
    return one.time != other.time ? one.time > other.time : one.order > other.order;
  }

  TimePoint now_ = TimePoint{} + std::chrono::hours(1);
  std::uint64_t planned_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace gradmill::simulation
