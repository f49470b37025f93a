#include "base/event_log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>

#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace gradmill {
namespace {

using Json = nlohmann::ordered_json;

// The source of messages that log_event() has rendered; compared by address.
constexpr char kRendered[] = "event";

std::atomic<LogFormat> log_format = LogFormat::kText;

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view view_of(spdlog::string_view_t text) { return {text.data(), text.size()}; }

// Of plain ASCII, so that neither a terminal nor a reader of lines can be misled.
std::string json_text(const Json& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7F; }

// `text` without the controls of ASCII and, as UTF-8 spells them, those of Latin-1.
std::string without_controls(std::string text) {
  char lead = 0;
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_control(byte) || (lead == '\xC2' && byte >= 0x80 && byte < 0xA0)) {
      c = '?';
    }
    lead = c;
  }
  return text;
}

std::string text_of(const std::string& value) {
  const bool bare = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\';
  });
  return bare ? value : json_text(value);
}
template <class Number>
std::string text_of(Number value) {
  return fmt::format("{}", value);
}

/// Local, and a blank.
std::string time_of_day(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:02}:{:02}:{:02} ", local.tm_hour, local.tm_min, local.tm_sec);
}

std::string render_text(const LogEvent& event) {
  if (event.plain || event.event.empty()) {
    return event.message;
  }
  std::string line(view_of(spdlog::level::to_string_view(spdlog_level(event.level))));
  line += ' ' + event.event;
  for (const LogField& field : event.fields) {
    line += ' ';
    line += field.name;
    line += '=' + std::visit([](const auto& value) { return text_of(value); }, field.value);
  }
  return event.message.empty() ? line : line + ": " + event.message;
}

// The members that an event adds to those of each line.
std::string render_json(const LogEvent& event) {
  Json line;
  line["event"] = event.event.empty() ? "log" : event.event;
  for (const LogField& field : event.fields) {
    std::visit([&](const auto& value) { line[std::string(field.name)] = value; }, field.value);
  }
  line["message"] = event.message;
  return json_text(line);
}

std::string time_text(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                     utc.tm_year + 1900,
                     utc.tm_mon + 1,
                     utc.tm_mday,
                     utc.tm_hour,
                     utc.tm_min,
                     utc.tm_sec,
                     since.count() % 1000);
}

/// Makes lines of messages, be they rendered by log_event() or by spdlog's own calls.
class LineFormatter final : public spdlog::formatter {
 public:
  LineFormatter(std::string program, LogFormat format)
      : program_(std::move(program)), format_(format) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const std::string text = format_ == LogFormat::kJson ? json_line(message) : text_line(message);
    line.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(program_, format_);
  }

 private:
  [[nodiscard]] std::string text_line(const spdlog::details::log_msg& message) const {
    const bool untimed = format_ != LogFormat::kTimedText || message.source.filename == kRendered;
    return program_ + ": " + (untimed ? "" : time_of_day(message.time)) +
           without_controls(std::string(view_of(message.payload))) + '\n';
  }

  [[nodiscard]] std::string json_line(const spdlog::details::log_msg& message) const {
    Json start;
    start["time"] = time_text(message.time);
    start["level"] = view_of(spdlog::level::to_string_view(message.level));
    start["program"] = program_;
    const std::string payload(view_of(message.payload));
    std::string line = json_text(start);
    line.back() = ',';
    line += (message.source.filename == kRendered ? payload : render_json({.message = payload}))
                .substr(1);
    return line + '\n';
  }

  std::string program_;
  LogFormat format_;
};

}  // namespace

void log_event(const LogEvent& event) {
  spdlog::logger& log = *spdlog::default_logger_raw();
  const spdlog::level::level_enum level = spdlog_level(event.level);
  if (log.should_log(level)) {
    const bool timed = log_format == LogFormat::kTimedText && !event.plain;
    const std::string text =
        log_format == LogFormat::kJson
            ? render_json(event)
            : (timed ? time_of_day(std::chrono::system_clock::now()) : "") + render_text(event);
    log.log(spdlog::source_loc{kRendered, 1, ""}, level, spdlog::string_view_t(text));
  }
}

void start_log(const std::string& program) {
  const auto log =
      std::make_shared<spdlog::logger>(program, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(log);
  set_log_format(LogFormat::kText);
}

void set_log_format(LogFormat format) {
  log_format = format;
  const auto log = spdlog::default_logger();
  log->set_formatter(std::make_unique<LineFormatter>(log->name(), format));
}

}  // namespace gradmill
