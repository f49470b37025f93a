// client: submits jobs to a coordinator and shows how they go.

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include <spdlog/spdlog.h>
#include <sys/ioctl.h>

#include "base/error.h"
#include "base/overload.h"
#include "client/adapter/thrift_coordinator_link.h"
#include "client/commands.h"
#include "client/request.h"
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

int run(const std::vector<std::string>& words) {
  const std::optional<Request> request = parse_request(words);
  if (!request) {
    return program::kSucceeded;
  }
  const Address coordinator = std::visit([](const auto& one) { return one.coordinator; }, *request);
  const std::unique_ptr<CoordinatorLink> link = make_thrift_coordinator_link(coordinator);
  // The first signal lets go of the job; process.h lets the second end the process at once.
  static std::atomic<bool> interrupted = false;
  std::thread([&link = *link] {
    program::wait_for_stop_signal();
    interrupted = true;
    link.interrupt();
  }).detach();
  const Console console{std::cout, std::cerr, terminal_columns(), interrupted};
  try {
    return std::visit(
        Overload{[&](const TrainRequest& one) { return train(one, *link, console); },
                 [&](const FollowRequest& one) { return follow(one, *link, console); },
                 [&](const CancelRequest& one) { return cancel(one, *link, console); }},
        *request);
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
    return gradmill::client::run({argv + 1, argv + argc});
  });
}
