// What is the same in connections of all services.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <thrift/protocol/TProtocol.h>

#include "base/address.h"
#include "base/byte_budget.h"
#include "rpc/framed_transport.h"
#include "rpc/interrupt.h"
#include "rpc/limits.h"
#include "rpc/socket.h"
#include "rpc/spin.h"
#include "rpc/tls.h"
#include "rpc/traffic.h"

namespace gradmill::rpc {

/// How a Connection connects.
struct ConnectionOptions {
  /// For all addresses of the host and the TLS handshake together. Looking up a name is not
  /// bounded, numbers need none.
  std::chrono::milliseconds connect_timeout = kConnectTimeout;
  /// Ends calls of all connections that share it; null: the connection has one of its own. Each is
  /// a file descriptor.
  std::shared_ptr<Interrupt> interrupt = nullptr;
  ClientTls tls{};
  /// For large messages of all connections that share it (see kMessageBytesMax); null: no bound.
  std::shared_ptr<ByteBudget> budget = nullptr;
  /// For peers that answer within microseconds: how waits for their answers begin, of all
  /// connections that share it; null: by sleeping.
  std::shared_ptr<Spin> spin = nullptr;
};

namespace internal {

/// Connects, bounds and drops the transport below a Connection, and turns failures into errors. One
/// thread at a time, except interrupt().
class ClientChannel {
 public:
  ClientChannel(Address address, ConnectionOptions options);

  /// Starts the clock of a call. Throws Error(kUnavailable) once interrupted.
  void begin_call(std::chrono::milliseconds deadline);
  /// Whether the open connection, if any, can serve the call that began; drops it if not.
  [[nodiscard]] bool reuse();
  /// Connects anew, within the time of the call.
  [[nodiscard]] std::shared_ptr<apache::thrift::protocol::TProtocol> connect();
  /// The connection is fit for calls.
  void hello_is_over() noexcept { peer_is_known_ = true; }
  /// Only in a catch block. Returns if the call should be made once more; else throws what the
  /// caller of the call is to see. `established`: the hello was over.
  void handle_exception(bool established);
  void drop() noexcept;
  void interrupt() noexcept { interrupt_->trigger(); }

  [[nodiscard]] const Address& address() const noexcept { return address_; }
  [[nodiscard]] bool is_open() const noexcept { return socket_ != nullptr; }
  /// Of all connections made so far. Safe from any thread.
  [[nodiscard]] const Traffic& traffic() const noexcept { return *traffic_; }

 private:
  // The stream's handshake and what is asked of the peer beyond it.
  void shake_hands(Socket::Clock::time_point deadline);
  [[noreturn]] void fail(const std::string& why) const;
  [[noreturn]] void fail_interrupted() const;
  // Rethrows the current exception as people should see it. Nothing is dropped yet.
  [[noreturn]] void translate() const;
  [[nodiscard]] std::chrono::milliseconds time_left() const;

  const Address address_;
  const std::chrono::milliseconds connect_timeout_;
  const ClientTls tls_;
  const std::shared_ptr<Interrupt> interrupt_;
  const std::shared_ptr<ByteBudget> budget_;
  const std::shared_ptr<Spin> spin_;
  const std::shared_ptr<Traffic> traffic_ = std::make_shared<Traffic>();
  std::shared_ptr<Socket> socket_;
  std::chrono::milliseconds deadline_{};     // Of the current call.
  Socket::Clock::time_point deadline_time_;  // The same, absolute.
  bool peer_is_known_ = false;               // A hello was over once, so it speaks as we do.
  bool reused_ = false;                      // The call runs on an older connection.
  std::uint64_t bytes_read_before_ = 0;      // By the socket, before the call.
};

}  // namespace internal

}  // namespace gradmill::rpc
