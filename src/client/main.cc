// client: submits jobs to a coordinator and shows how they go.

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <spdlog/spdlog.h>
#include <sys/ioctl.h>

#include "base/error.h"
#include "client/adapter/thrift_coordinator_link.h"
#include "client/commands/commands.h"
#include "client/link/reconnecting_link.h"
#include "client/link/retry_timer.h"
#include "client/request/request.h"
#include "program/exit_code.h"
#include "program/process.h"

namespace gradmill::client {
namespace {

/// Columns of the terminal behind stderr; 0 if there is none.
unsigned terminal_columns() {
  winsize size{};
  if (::isatty(STDERR_FILENO) == 0 || ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) {
    return 0;
  }
  return size.ws_col == 0 ? 80U : size.ws_col;
}

/// What the reconnecting link says; a redrawn line of progress gives way to it.
void tell(const std::string& line) {
  std::cerr << (terminal_columns() > 0 ? "\r\x1b[K" : "") << "client: " << line << '\n'
            << std::flush;
}

int run_program(const std::vector<std::string>& words) {
  const std::optional<Request> request = parse_request(words);
  if (!request) {
    return program::kSucceeded;
  }
  const CommonRequest& common =
      std::visit([](const CommonRequest& one) -> const CommonRequest& { return one; }, *request);
  const std::unique_ptr<CoordinatorLink> connection =
      make_thrift_coordinator_link(common.coordinator, common.tls);
  const std::unique_ptr<RetryTimer> timer = make_retry_timer();
  ReconnectingLink link(*connection, *timer, {common.reconnect_timeout, tell});
  // The first signal lets go of the job; process.h lets the second end the process at once.
  static std::atomic<bool> interrupted = false;
  std::thread([&link] {
    program::wait_for_stop_signal();
    interrupted = true;
    link.interrupt();
  }).detach();
  const Console console{std::cout, std::cerr, terminal_columns(), interrupted};
  try {
    return run(*request, link, console);
  } catch (const Error&) {
    if (!interrupted) {
      throw;
    }
    spdlog::warn("interrupted; a job that was already submitted goes on");
    return program::kDetached;
  }
}

}  // namespace
}  // namespace gradmill::client

int main(int argc, char** argv) {
  return gradmill::program::run_program("client", [&] {
    return gradmill::client::run_program({argv + 1, argv + argc});
  });
}
