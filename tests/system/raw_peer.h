// Bytes to and from the servers, without our own RPC stack.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gradmill::system_test {

/// A TCP connection to or from 127.0.0.1. Closed when it goes out of scope.
class RawPeer {
 public:
  /// Connects; is_open() says whether that worked.
  explicit RawPeer(std::uint16_t port);
  /// Takes over a connected socket.
  static RawPeer of(int fd) { return {fd, 0}; }
  RawPeer(RawPeer&& other) noexcept;
  RawPeer& operator=(RawPeer&&) = delete;
  ~RawPeer();

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  /// False if the other side does not take them all.
  bool send(std::string_view bytes) const;
  /// One frame with its header; whatever came if the other side ends early or takes ten seconds.
  [[nodiscard]] std::string receive_frame() const;
  /// Whether the other side closes the connection in time.
  [[nodiscard]] bool closed_within(std::chrono::milliseconds timeout) const;
  /// Ends our side, and waits for the other side to do so.
  void finish() const;

 private:
  RawPeer(int fd, int /*unused*/) : fd_(fd) {}
  [[nodiscard]] std::string receive(std::size_t bytes) const;
  int fd_;
};

/// `value` as Thrift writes numbers.
[[nodiscard]] std::string big_endian(std::uint64_t value, int bytes);
/// `text` with its length before it.
[[nodiscard]] std::string counted(std::string_view text);
/// A call without frame: its header, then `arguments`.
[[nodiscard]] std::string call(std::string_view method, std::string_view arguments);
/// The header of a field.
[[nodiscard]] std::string field(int type, int id);
/// The frame of a valid hello, and of a listJobs of one job.
[[nodiscard]] std::string hello_frame();
[[nodiscard]] std::string list_jobs_frame();

/// What a process uses, as /proc has it.
struct Usage {
  std::int64_t resident_bytes = 0;
  int threads = 0;
  int descriptors = 0;
};
[[nodiscard]] Usage usage_of(int pid);

}  // namespace gradmill::system_test
