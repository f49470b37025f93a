// A Thrift server that hostile bytes, failing handlers and missing resources do not end.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <thrift/TProcessor.h>

#include "base/address.h"
#include "rpc/call_faults.h"
#include "rpc/limits.h"
#include "rpc/peer_identity.h"
#include "rpc/tls.h"

namespace gradmill::rpc {

/// What a server listens on and what it allows.
struct ServerOptions {
  std::string name;  ///< For the log.
  Address address;   ///< Bound exactly; port 0 is any free one.
  /// Null: no TLS. Else a peer meets no handler before it has proved who it is.
  std::shared_ptr<const TlsContext> tls = nullptr;
  /// Connections served at a time, at least 1. One more takes the place of the one whose peer has
  /// let it wait for longest; if none waits, it is closed at once. The same when file descriptors
  /// run short.
  int clients_max = kClientsMax;
  /// For messages beyond kKeptBufferBytesMax, of all connections together.
  std::uint64_t message_bytes_max = kMessageBytesMax;
  std::chrono::milliseconds idle_timeout = kIdleTimeout;
  /// From a frame's first byte to its last, of the TLS handshake, and from there to the first
  /// frame's first byte.
  std::chrono::milliseconds frame_deadline = kFrameDeadline;
  std::chrono::milliseconds drain_timeout = kDrainTimeout;  ///< See Server::stop.
  CallFaults faults{};                                      ///< Calls to fail on purpose.
};

/// Who is at the other end of the connection that a handler is made for; nothing without TLS.
[[nodiscard]] std::optional<PeerIdentity> peer_of(
    const apache::thrift::TConnectionInfo& connection);

/// Serves one Thrift service on one port, with a thread for each connection. Owns its threads and
/// sockets. Public functions are thread-safe, except that start() and destruction are the owner's.
class Server {
 public:
  /// Listens: port() is known and connections queue up until start(). Throws Error(kInvalidInput,
  /// "cannot listen on HOST:PORT: ..."). `handlers` makes a processor for each connection, so a
  /// handler may keep what it learned from hello; it is called by any thread, its processors by
  /// one thread each.
  Server(const ServerOptions& options, std::shared_ptr<apache::thrift::TProcessorFactory> handlers);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Stops.
  ~Server();

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Connections being served.
  [[nodiscard]] std::int64_t clients() const;

  /// Serves in a thread of its own until stop(); once only. After stop() it does nothing.
  void start();

  /// Ends the server: no new connections, idle ones are closed at once, calls in progress may
  /// finish within the drain timeout, then their sockets fail. Returns within that time and a
  /// second: true if all threads have ended. False if a handler is still busy: its thread goes on,
  /// keeps `handlers` alive and may use whatever they refer to, so end the process then.
  /// Not for handlers to call.
  bool stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gradmill::rpc
