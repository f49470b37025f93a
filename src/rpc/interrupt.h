// A switch that wakes threads which wait for sockets.
#pragma once

#include <atomic>

#include "rpc/descriptor.h"

namespace gradmill::rpc {

/// A one-way switch: once triggered, every wait on fd() returns, now and for ever. Thread-safe;
/// whoever waits shares ownership. It costs one file descriptor.
class Interrupt {
 public:
  /// Throws Error(kUnavailable) when the process has no file descriptor left.
  Interrupt();

  /// Safe from any thread, any number of times, and from a signal handler.
  void trigger() noexcept;
  [[nodiscard]] bool triggered() const noexcept { return triggered_.load(); }
  /// Readable as soon as the switch is triggered; nobody reads from it.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  const Descriptor fd_;
  std::atomic<bool> triggered_ = false;
};

}  // namespace gradmill::rpc
