// The log of a process: events with fields, as text for people or JSON for programs.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace gradmill {

enum class LogLevel { kInfo, kWarning, kError };

enum class LogFormat {
  kText,       ///< `PROGRAM: LEVEL EVENT NAME=VALUE ...: MESSAGE`
  kTimedText,  ///< As kText, with the local time of day, HH:MM:SS, behind PROGRAM: for servers.
  kJson,       ///< An object a line: time (UTC), level, program, event, the fields, message.
};

/// A name and what it is in this event. Names are lower case with underscores; the common ones are
/// job, round, shard, attempt, node and reason. time, level, program, event and message are taken.
struct LogField {
  LogField(std::string_view of, std::string text) : name(of), value(std::move(text)) {}
  LogField(std::string_view of, double number) : name(of), value(number) {}
  LogField(std::string_view of, bool flag) : name(of), value(flag) {}
  template <std::integral T>
  LogField(std::string_view of, T number) : name(of) {
    if constexpr (std::is_signed_v<T>) {
      value = std::int64_t{number};
    } else {
      value = std::uint64_t{number};
    }
  }
  LogField(std::string_view of, const char* text) : name(of), value(std::string(text)) {}

  std::string_view name;  ///< Not owned.
  std::variant<std::string, std::int64_t, std::uint64_t, double, bool> value;
};

/// Something that happened. Without an `event` it is a line for people.
struct LogEvent {
  LogLevel level = LogLevel::kInfo;
  std::string event{};  ///< What, in lower case with underscores: task_failed, node_up, ...
  std::vector<LogField> fields{};
  std::string message{};  ///< One line for people; may be empty.
  bool plain = false;     ///< Text shows the message alone, without a time: it says it all.
};

/// Writes one line to stderr, whatever the strings hold: other bytes than UTF-8 are replaced in
/// JSON, and control characters escaped in fields and replaced in text. Thread-safe; lines do not
/// mix. spdlog's own calls come out between these lines, in JSON as events called `log`.
void log_event(const LogEvent& event);

/// Makes the log of this process, as text; `program` starts each line. Before other threads log.
void start_log(const std::string& program);
/// Changes the format of all lines to come. Before other threads log.
void set_log_format(LogFormat format);

}  // namespace gradmill
