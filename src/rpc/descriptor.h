// Owner of a file descriptor.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace gradmill::rpc {

/// Closes its file descriptor at the end; negative numbers stand for none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }

  void close() noexcept {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  /// Moves to the lowest number that is free, if that is lower.
  void sink() noexcept {
    Descriptor lower(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
    if (lower.fd_ >= 0 && lower.fd_ < fd_) {
      std::swap(fd_, lower.fd_);
    }
  }

 private:
  int fd_;
};

}  // namespace gradmill::rpc
