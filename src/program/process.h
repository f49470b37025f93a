// What every program does around its work: errors, logging, signals.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/address.h"

namespace gradmill::program {

/// Runs `body` as the whole program called `name`: sets the log up (stderr, each line `name: ...`),
/// blocks SIGINT, SIGTERM and SIGPIPE in this thread and those it starts, ignores SIGXFSZ, answers
/// Completion on stdout, turns Error into one line and the exit code it stands for, and anything
/// else, such as a success whose output could not be written, into one line and 1.
[[nodiscard]] int run_program(const std::string& name, const std::function<int()>& body);

/// Lets the allocator keep what a task frees for the next one instead of giving it back to the
/// system page by page: for servers whose tasks are short.
void keep_freed_memory();

/// Bounds the address space that threads reserve, so that a limit of it (ulimit -v) serves many:
/// for servers, whose threads run nothing deep. Before other threads start.
void keep_threads_small();

/// Lets the process open as many files and sockets as its hard limit allows.
void raise_descriptor_limit();

/// Keeps SIGHUP for wait_for_stop_signal(); else it ends the process. Before other threads start.
void hold_hangups();

/// What a server does on SIGHUP that has nothing to read again: says so in the log.
void ignore_hangup();

/// Waits until SIGINT or SIGTERM comes. From then on a second one ends the process at once. Until
/// then each SIGHUP runs `on_hangup`, in this thread, if hold_hangups() was called.
void wait_for_stop_signal(const std::function<void()>& on_hangup = {});

/// Logs `name: listening on HOST:PORT`, or an event called listening in JSON, for a server that can
/// be used now.
void announce_listening(const Address& address);

/// Ends the process now: for servers whose threads did not end in time.
[[noreturn]] void leave_at_once(int exit_code);

/// Ends the process with this exit code if it is still there after `time`; at once if there is no
/// thread left to wait for that.
void leave_within(std::chrono::milliseconds time, int exit_code);

}  // namespace gradmill::program
