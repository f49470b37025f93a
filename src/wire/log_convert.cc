#include "wire/log_convert.h"

#include <optional>
#include <string>

#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

/// The wire's -1 is nothing.
template <class To, class From>
std::optional<To> number_from(From value, const char* field) {
  return value == -1 ? std::nullopt : std::optional(unsigned_from<To>(value, field));
}

template <class To, class From>
To number_or_absent(const std::optional<From>& value) {
  return value ? static_cast<To>(*value) : To{-1};
}

bool warning_from(const std::string& level) {
  if (level != "info" && level != "warning") {
    throw invalid_input("the level of an event is unknown");
  }
  return level == "warning";
}

JobEvent to_wire(const gradmill::JobEvent& event) {
  JobEvent to;
  to.sequence = static_cast<std::int64_t>(event.sequence);
  to.time_ms = event.time_ms;
  to.level = event.warning ? "warning" : "info";
  to.event = event.event;
  to.round = number_or_absent<std::int32_t>(event.round);
  to.shard = number_or_absent<std::int32_t>(event.shard);
  to.attempt = number_or_absent<std::int64_t>(event.attempt);
  to.node = event.node;
  to.reason = event.reason;
  to.message = event.message;
  return to;
}

gradmill::JobEvent event_from(const JobEvent& event) {
  return {.sequence = unsigned_from<std::uint64_t>(event.sequence, "an event's sequence"),
          .time_ms = time_from(event.time_ms, "an event's time"),
          .warning = warning_from(event.level),
          .event = event.event,
          .round = number_from<std::uint32_t>(event.round, "an event's round"),
          .shard = number_from<std::uint32_t>(event.shard, "an event's shard"),
          .attempt = number_from<std::uint64_t>(event.attempt, "an event's attempt"),
          .node = event.node,
          .reason = event.reason,
          .message = event.message};
}

}  // namespace

JobLogsResponse to_wire(const gradmill::JobLog& log) {
  JobLogsResponse to;
  for (const gradmill::JobEvent& event : log.events) {
    to.events.push_back(to_wire(event));
  }
  to.ended = log.ended;
  return to;
}

gradmill::JobLog log_from(const JobLogsResponse& response) {
  gradmill::JobLog to;
  std::uint64_t last = 0;
  for (const JobEvent& event : response.events) {
    to.events.push_back(event_from(event));
    if (to.events.back().sequence <= last) {
      throw invalid_input("an event's sequence does not rise");
    }
    last = to.events.back().sequence;
  }
  to.ended = response.ended;
  return to;
}

}  // namespace gradmill::wire
