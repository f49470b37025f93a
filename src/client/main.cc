// client: submits jobs to a coordinator and shows how they go.

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
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
#include "client/commands/completion.h"
#include "client/link/reconnecting_link.h"
#include "client/link/retry_timer.h"
#include "client/request/common_options.h"
#include "client/request/request.h"
#include "program/completion.h"
#include "program/exit_code.h"
#include "program/process.h"
#include "program/tls_options.h"

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

/// Somebody waits for it at the keyboard, and it says nothing about a coordinator that is not
/// there.
int complete(const program::Completion& asked) {
  constexpr std::chrono::milliseconds kLongest{500};
  std::cout << program::shell_answer(asked) << std::flush;
  if (!is_known_to_coordinator(asked)) {
    return program::kSucceeded;
  }
  program::leave_within(kLongest, program::kSucceeded);
  try {
    const std::unique_ptr<CoordinatorLink> link = make_thrift_coordinator_link(
        coordinator_of(asked.arguments), program::read_tls_options(asked.arguments));
    std::cout << program::candidates(asked, known_values(asked, *link)) << std::flush;
  } catch (const Error&) {
    return program::kSucceeded;
  }
  return program::kSucceeded;
}

int run_request(const Request& request) {
  const CommonRequest& common =
      std::visit([](const CommonRequest& one) -> const CommonRequest& { return one; }, request);
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
    return run(request, link, console);
  } catch (const Error&) {
    if (!interrupted) {
      throw;
    }
    spdlog::warn("interrupted; a job that was already submitted goes on");
    return program::kDetached;
  }
}

int run_program(const std::vector<std::string>& words) {
  try {
    const std::optional<Request> request = parse_request(words);
    return request ? run_request(*request) : program::kSucceeded;
  } catch (const program::Completion& asked) {
    return complete(asked);
  }
}

}  // namespace
}  // namespace gradmill::client

int main(int argc, char** argv) {
  return gradmill::program::run_program("client", [&] {
    return gradmill::client::run_program({argv + 1, argv + argc});
  });
}
