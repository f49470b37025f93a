// When a node announces itself to which coordinator.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/event_log.h"
#include "protocol/node_status.h"

namespace gradmill::node {

/// Announces until one coordinator has acknowledged, and anew once that one is quiet: when it was
/// started again or has forgotten the node. Coordinators take turns. A state machine without
/// threads, clock or log: time comes in with each call, and what is to be logged goes out, once a
/// change. Single-threaded.
class JoinPlan {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// What to do next.
  struct Step {
    std::optional<std::size_t> announce{};  ///< To this coordinator, now; then tell the answer.
    TimePoint until{};                      ///< Else nothing before this.
    std::optional<LogEvent> news{};
  };

  /// `coordinators` are at least one, `self` is what is announced.
  JoinPlan(std::vector<Address> coordinators, Address self);

  /// Id of the coordinator that has acknowledged; empty while none has.
  [[nodiscard]] const std::string& acknowledged_by() const { return acknowledged_by_; }

  /// `heard` is when acknowledged_by() last asked anything of the node.
  [[nodiscard]] Step next(TimePoint now, TimePoint heard);
  /// The coordinator that was announced to has answered.
  [[nodiscard]] std::optional<LogEvent> answered(const JoinAnswer& answer, TimePoint now);
  /// It has not, or with an error.
  [[nodiscard]] std::optional<LogEvent> failed(const Error& error, TimePoint now);

 private:
  /// What was last logged of a coordinator.
  enum class Told { kNothing, kUnreachable, kRefused, kUnheard, kJoined, kQuiet };
  struct Coordinator {
    Address address;
    Told told = Told::kNothing;
    TimePoint not_before{};  // it has refused the node
  };

  void take_turns(TimePoint earliest);
  void refused(TimePoint now);
  [[nodiscard]] std::optional<LogEvent> tell(Told what, LogEvent event);

  std::vector<Coordinator> coordinators_;
  const Address self_;
  std::size_t turn_ = 0;  // whom to announce to, or who has acknowledged
  std::chrono::milliseconds pause_;
  TimePoint next_attempt_{};
  std::string acknowledged_by_;
  TimePoint acknowledged_{};
};

}  // namespace gradmill::node
