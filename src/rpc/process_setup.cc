#include "rpc/process_setup.h"

#include <signal.h>

#include <chrono>
#include <mutex>
#include <string>

#include <spdlog/spdlog.h>
#include <thrift/Thrift.h>

namespace gradmill::rpc {
namespace {

constexpr int kLinesPerSecond = 5;
constexpr std::size_t kLineBytesMax = 240;

// Counts lines in windows of a second.
class RateLimit {
 public:
  bool allows() {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (now - window_ >= std::chrono::seconds(1)) {
      window_ = now;
      lines_ = 0;
    }
    return lines_++ < kLinesPerSecond;
  }

 private:
  std::mutex mutex_;
  std::chrono::steady_clock::time_point window_;
  int lines_ = 0;
};

void log_limited(RateLimit& limit,
                 spdlog::level::level_enum level,
                 std::string_view text) noexcept {
  try {
    if (!limit.allows()) {
      return;
    }
    std::string line(text.substr(0, kLineBytesMax));
    for (char& c : line) {
      if (c < ' ' || c > '~') {
        c = '?';
      }
    }
    spdlog::log(level, "{}", line);
  } catch (...) {  // A line that cannot be logged is not worth a failure.
  }
}

void log_thrift_output(const char* text) { debug_at_a_limited_rate(text); }

}  // namespace

void ignore_sigpipe() {
  static std::once_flag once;
  std::call_once(once, [] { ::signal(SIGPIPE, SIG_IGN); });
}

void redirect_thrift_output() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Makes the log now, in a thread that starts the others, and not in the first of them that
    // logs.
    static_cast<void>(spdlog::default_logger_raw());
    apache::thrift::GlobalOutput.setOutputFunction(log_thrift_output);
  });
}

void warn_at_a_limited_rate(std::string_view text) noexcept {
  static RateLimit limit;
  log_limited(limit, spdlog::level::warn, text);
}

void debug_at_a_limited_rate(std::string_view text) noexcept {
  static RateLimit limit;
  log_limited(limit, spdlog::level::debug, text);
}

}  // namespace gradmill::rpc
