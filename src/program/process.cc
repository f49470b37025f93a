#include "program/process.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <system_error>
#include <thread>

#include <sys/resource.h>

#include "base/error.h"
#include "base/event_log.h"
#include "program/completion.h"
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

int wait_for_signal(const sigset_t& set) {
  int signal = 0;
  sigwait(&set, &signal);
  return signal;
}

void log_failure(const std::string& message) {
  log_event(
      {.level = LogLevel::kError, .event = "program_failed", .message = message, .plain = true});
}

}  // namespace

int run_program(const std::string& name, const std::function<int()>& body) {
  sigset_t blocked = stop_signals();
  sigaddset(&blocked, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  // A file that may not grow further is then an error of its writer, as on a full disk.
  ::signal(SIGXFSZ, SIG_IGN);
  start_log(name);
  try {
    const int code = body();
    std::cout.flush();
    if (code == kSucceeded && !std::cout) {
      throw Error(ErrorCode::kFailed,
                  "the output could not be written: nobody reads it, or its disk is full");
    }
    return code;
  } catch (const Completion& asked) {
    std::cout << shell_answer(asked);
    return kSucceeded;
  } catch (const Error& error) {
    log_failure(error.what());
    return exit_code_of(error.code());
  } catch (const std::bad_alloc&) {
    log_failure("out of memory");
    return kJobFailed;
  } catch (const std::system_error& error) {
    // As std::thread does.
    log_failure(error.code() == std::errc::resource_unavailable_try_again
                    ? "cannot start its threads: the limit of threads or processes is reached"
                    : std::string("internal error: ") + error.what());
    return kJobFailed;
  } catch (const std::exception& error) {
    log_failure(std::string("internal error: ") + error.what());
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

void ignore_hangup() {
  log_event({.event = "hangup_ignored",
             .message = "SIGHUP: there are no certificates to read again without TLS",
             .plain = true});
}

void keep_threads_small() {
  // The deepest of our threads uses 24 KiB.
  constexpr std::size_t kStackBytes = std::size_t{1} << 20U;
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) == 0) {
    // What fails leaves threads as large as the system has them.
    if (::pthread_attr_setstacksize(&attributes, kStackBytes) == 0) {
      ::pthread_setattr_default_np(&attributes);
    }
    ::pthread_attr_destroy(&attributes);
  }
  rlimit space{};
  if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
    // Each arena reserves 64 MiB, and there may be eight for each processor.
    ::mallopt(M_ARENA_MAX, 2);  // NOLINT(concurrency-mt-unsafe)
  }
}

void hold_hangups() {
  sigset_t hangup;
  sigemptyset(&hangup);
  sigaddset(&hangup, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &hangup, nullptr);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void wait_for_stop_signal(const std::function<void()>& on_hangup) {
  sigset_t awaited = stop_signals();
  if (on_hangup) {
    sigaddset(&awaited, SIGHUP);
  }
  int first = wait_for_signal(awaited);
  for (; first == SIGHUP; first = wait_for_signal(awaited)) {
    on_hangup();
  }
  const std::string name = first == SIGINT ? "SIGINT" : "SIGTERM";
  log_event({.event = "stopping",
             .fields = {{"signal", name}},
             .message = name + ": stopping; once more to leave at once",
             .plain = true});
  try {
    std::thread([] {
      const int second = wait_for_signal(stop_signals());
      leave_at_once(128 + second);
    }).detach();
  } catch (const std::system_error&) {  // No thread left: the system ends the process instead.
    const sigset_t second = stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &second, nullptr);
  }
}

void announce_listening(const Address& address) {
  log_event({.event = "listening",
             .fields = {{"address", address.text()}},
             .message = "listening on " + address.text(),
             .plain = true});
}

void leave_at_once(int exit_code) { std::_Exit(exit_code); }

void leave_within(std::chrono::milliseconds time, int exit_code) {
  try {
    std::thread([=] {
      std::this_thread::sleep_for(time);
      leave_at_once(exit_code);
    }).detach();
  } catch (const std::system_error&) {  // No thread left that could keep the time.
    leave_at_once(exit_code);
  }
}

}  // namespace gradmill::program
