// The life of the coordinator's process.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "simulation/event_queue.h"

namespace gradmill::simulation {

/// From start to crash; may be stopped in between. What was planned in a life does not happen after
/// its end, and waits while it is stopped.
class Life : public std::enable_shared_from_this<Life> {
 public:
  explicit Life(EventQueue& queue) : queue_(queue) {}

  [[nodiscard]] bool is_over() const { return over_; }
  void end() { over_ = true; }
  [[nodiscard]] TimePoint now() const { return queue_.now(); }
  void pause(TimePoint until) { paused_until_ = until; }

  /// Now, or when it goes on.
  template <class Work>
  void run(Work work) {
    if (over_) {
      return;
    }
    if (paused_until_ <= queue_.now()) {
      work();
      return;
    }
    queue_.at(paused_until_, [life = shared_from_this(), work = std::move(work)]() mutable {
      life->run(std::move(work));
    });
  }
  template <class Work>
  void after(Duration delay, Work work) {
    queue_.after(delay, [life = shared_from_this(), work = std::move(work)]() mutable {
      life->run(std::move(work));
    });
  }

 private:
  EventQueue& queue_;
  TimePoint paused_until_{};
  bool over_ = false;
};

}  // namespace gradmill::simulation
