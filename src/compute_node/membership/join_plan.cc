#include "compute_node/membership/join_plan.h"

#include <algorithm>
#include <utility>

namespace gradmill::node {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPauseMin{250};
constexpr milliseconds kPauseMax{2000};
constexpr milliseconds kRefusedPause{30'000};
// Heartbeats come about once a second.
constexpr milliseconds kQuiet{3000};
// How often to look for the first heartbeat after an acknowledgement.
constexpr milliseconds kLook{250};

std::string without(const std::string& prefix, const std::string& text) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

}  // namespace

JoinPlan::JoinPlan(std::vector<Address> coordinators, Address self)
    : self_(std::move(self)), pause_(kPauseMin) {
  for (Address& address : coordinators) {
    coordinators_.push_back({.address = std::move(address)});
  }
}

JoinPlan::Step JoinPlan::next(TimePoint now, TimePoint heard) {
  if (acknowledged_by_.empty()) {
    return now < next_attempt_ ? Step{.until = next_attempt_} : Step{.announce = turn_};
  }
  const Coordinator& coordinator = coordinators_[turn_];
  const TimePoint quiet_at = std::max(acknowledged_, heard) + kQuiet;
  Step step;
  if (heard > acknowledged_) {
    step.news =
        tell(Told::kJoined, {.event = "joined", .message = "the coordinator sends heartbeats"});
  }
  if (now < quiet_at) {
    const bool joined = coordinator.told == Told::kJoined;
    step.until = joined ? quiet_at : std::min(quiet_at, now + kLook);
    return step;
  }
  if (!step.news) {
    step.news = coordinator.told == Told::kJoined
                    ? tell(Told::kQuiet,
                           {.level = LogLevel::kWarning,
                            .event = "coordinator_quiet",
                            .message = "no heartbeat for 3 s; announcing again"})
                    : tell(Told::kUnheard,
                           {.level = LogLevel::kWarning,
                            .event = "join_unheard",
                            .message = "acknowledged, but no heartbeat comes: can it reach " +
                                       self_.text() + "? --advertise names another address"});
  }
  acknowledged_by_.clear();
  pause_ = kPauseMin;
  take_turns(now);
  step.until = next_attempt_;
  return step;
}

std::optional<LogEvent> JoinPlan::answered(const JoinAnswer& answer, TimePoint now) {
  if (answer.accepted) {
    acknowledged_by_ = answer.coordinator;
    acknowledged_ = now;
    return std::nullopt;  // It is news once heartbeats come.
  }
  std::optional<LogEvent> news =
      tell(Told::kRefused,
           {.level = LogLevel::kWarning, .event = "join_refused", .message = answer.message});
  refused(now);
  return news;
}

std::optional<LogEvent> JoinPlan::failed(const Error& error, TimePoint now) {
  const bool later =
      error.code() == ErrorCode::kUnreachable || error.code() == ErrorCode::kUnavailable;
  const std::string coordinator = coordinators_[turn_].address.text();
  std::optional<LogEvent> news = tell(later ? Told::kUnreachable : Told::kRefused,
                                      {.level = LogLevel::kWarning,
                                       .event = later ? "join_failed" : "join_refused",
                                       .message = without(coordinator + ": ", error.what())});
  if (later) {
    take_turns(now + pause_);
    pause_ = std::min(2 * pause_, kPauseMax);
  } else {
    refused(now);
  }
  return news;
}

void JoinPlan::refused(TimePoint now) {
  coordinators_[turn_].not_before = now + kRefusedPause;
  take_turns(now + pause_);
}

// The next one in order that may be asked at `earliest`; if none may, the one that may be first.
void JoinPlan::take_turns(TimePoint earliest) {
  std::size_t best = turn_;
  TimePoint best_time = TimePoint::max();
  for (std::size_t n = 1; n <= coordinators_.size(); ++n) {
    const std::size_t candidate = (turn_ + n) % coordinators_.size();
    const TimePoint time = std::max(earliest, coordinators_[candidate].not_before);
    if (time < best_time) {
      best = candidate;
      best_time = time;
    }
  }
  turn_ = best;
  next_attempt_ = best_time;
}

std::optional<LogEvent> JoinPlan::tell(Told what, LogEvent event) {
  Coordinator& coordinator = coordinators_[turn_];
  // One that went quiet is away until something else is heard of it.
  const bool known =
      coordinator.told == what || (coordinator.told == Told::kQuiet && what == Told::kUnreachable);
  if (known) {
    return std::nullopt;
  }
  coordinator.told = what;
  event.fields.emplace_back("coordinator", coordinator.address.text());
  return event;
}

}  // namespace gradmill::node
