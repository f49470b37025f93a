#include "program/process.h"

#include <malloc.h>
#include <signal.h>

#include <cstdlib>
#include <thread>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "program/exit_code.h"

namespace gradmill::program {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

int wait_for_signal() {
  const sigset_t set = stop_signals();
  int signal = 0;
  sigwait(&set, &signal);
  return signal;
}

}  // namespace

int run_program(const std::string& name, const std::function<int()>& body) {
  sigset_t blocked = stop_signals();
  sigaddset(&blocked, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  const auto logger = spdlog::stderr_logger_mt(name);
  logger->set_pattern("%n: %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
  try {
    return body();
  } catch (const Error& error) {
    logger->error(error.what());
    return exit_code_of(error.code());
  } catch (const std::bad_alloc&) {
    logger->error("out of memory");
    return kJobFailed;
  } catch (const std::exception& error) {
    logger->error("internal error: {}", error.what());
    return kJobFailed;
  }
}

void keep_freed_memory() {
  // Buffers above the first bound still go back at once. It is the most that glibc takes.
  constexpr int kLargest = 32 << 20;
  // Called before any other thread is started.
  ::mallopt(M_MMAP_THRESHOLD, kLargest);      // NOLINT(concurrency-mt-unsafe)
  ::mallopt(M_TRIM_THRESHOLD, 8 * kLargest);  // NOLINT(concurrency-mt-unsafe)
}

void wait_for_stop_signal() {
  const int first = wait_for_signal();
  spdlog::info("{}: stopping; once more to leave at once", first == SIGINT ? "SIGINT" : "SIGTERM");
  std::thread([] {
    const int second = wait_for_signal();
    leave_at_once(128 + second);
  }).detach();
}

void announce_listening(const std::string& host, unsigned port) {
  spdlog::info("listening on {}:{}", host, port);
}

void leave_at_once(int exit_code) { std::_Exit(exit_code); }

}  // namespace gradmill::program
