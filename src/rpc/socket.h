// A connected TCP socket whose every wait is bounded and can be interrupted.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <thrift/transport/TVirtualTransport.h>

#include "rpc/descriptor.h"
#include "rpc/interrupt.h"
#include "rpc/peer_identity.h"
#include "rpc/spin.h"
#include "rpc/stream.h"
#include "rpc/traffic.h"

namespace gradmill::rpc {

/// Thrift's transport at the bottom, in place of TSocket, whose timeouts count from each recv and
/// so let one byte a second hold a thread for ever. Deadlines here are absolute. One thread at a
/// time; only the Interrupt may be triggered by others.
///
/// Throws TTransportException: TIMED_OUT past the deadline, INTERRUPTED, END_OF_FILE when the peer
/// closed or reset the connection (a read returns 0 bytes then), UNKNOWN for anything else, and
/// what the stream throws.
class Socket final : public apache::thrift::transport::TVirtualTransport<Socket> {
 public:
  using Clock = std::chrono::steady_clock;

  /// Takes over `stream` and sets its TCP options. `origin` names the peer; bytes are also counted
  /// in `traffic`, if there is one.
  Socket(std::unique_ptr<Stream> stream,
         std::string origin,
         std::shared_ptr<Traffic> traffic = nullptr);

  /// From now on, waits for bytes begin with `spin` (not owned, may be null).
  void begin_waits_with(Spin* spin) noexcept { spin_ = spin; }
  /// Bounds all reads and writes until the next call: by a time, and by an Interrupt (not owned,
  /// may be null).
  void bound(Clock::time_point deadline, const Interrupt* interrupt) noexcept;
  [[nodiscard]] Clock::time_point deadline() const noexcept { return deadline_; }

  [[nodiscard]] bool isOpen() const override { return stream_->fd() >= 0; }
  bool peek() override { return isOpen(); }
  void close() override { stream_->close(); }
  /// Lets the peer and whoever reads or writes here see the end of the connection. Safe from any
  /// thread while nobody closes it.
  void end() noexcept;
  [[nodiscard]] const std::string getOrigin() const override { return origin_; }

  /// What must be over before the first read or write; nothing without TLS.
  void handshake();
  /// At least one byte, unless `bytes` is 0 or the peer closed the connection.
  std::uint32_t read(std::uint8_t* buffer, std::uint32_t bytes);
  /// All of them.
  void write(const std::uint8_t* buffer, std::uint32_t bytes);

  /// Whether the connection is open and silent, as one without a call in progress must be.
  [[nodiscard]] bool quiet() const noexcept {
    return ahead_first_ == ahead_end_ && stream_->quiet();
  }
  /// Who the peer has proved to be in the handshake; nothing without TLS.
  [[nodiscard]] std::optional<PeerIdentity> peer() const { return stream_->peer(); }
  /// Whether the peer closed or reset the connection.
  [[nodiscard]] bool closed_by_peer() const noexcept { return closed_by_peer_; }
  /// Bytes received since construction, read here or not yet.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }
  /// errno of the failure that was neither the peer's end, nor time, nor an interrupt; else 0.
  [[nodiscard]] int failure() const noexcept { return failure_; }

 private:
  // At least one byte of the stream, unless the peer closed the connection.
  std::uint32_t receive(std::uint8_t* buffer, std::uint32_t bytes);
  // Prepares the next try after `progress`, which is no success: waits, or notes the peer's end.
  void handle(const Progress& progress);
  // Returns once one of `events` may be possible.
  void wait(short events);
  [[noreturn]] void fail(int error);

  std::unique_ptr<Stream> stream_;
  std::string origin_;
  // What came behind what was asked for: most messages are small, and their parts are asked for one
  // by one.
  std::array<std::uint8_t, 4096> ahead_{};
  std::uint32_t ahead_first_ = 0;
  std::uint32_t ahead_end_ = 0;
  std::shared_ptr<Traffic> traffic_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point ran_at_ = Clock::now();  // when this process last did something with it
  const Interrupt* interrupt_ = nullptr;
  Spin* spin_ = nullptr;
  bool closed_by_peer_ = false;
  std::uint64_t bytes_read_ = 0;
  int failure_ = 0;
};

/// Milliseconds from now to `deadline` for poll(), rounded up; 0 if it has passed, at most a day.
[[nodiscard]] int poll_timeout_ms(Socket::Clock::time_point deadline);

}  // namespace gradmill::rpc
