// A listening TCP socket that no single failure ends.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/address.h"
#include "rpc/descriptor.h"
#include "rpc/interrupt.h"

namespace gradmill::rpc {

/// A connection that was accepted.
struct Accepted {
  Descriptor fd;       ///< Non-blocking.
  std::string origin;  ///< "IP:port" of the peer.
};

/// Accepts connections. Stands in for Thrift's TServerSocket, after whose first EMFILE a server is
/// deaf for ever, and which would rather bind an IPv6 address than the IPv4 one of the same name.
/// For one thread.
class Listener {
 public:
  /// Binds exactly `address` (port 0: any free one) and listens. Throws Error(kInvalidInput,
  /// "cannot listen on HOST:PORT: ...").
  explicit Listener(const Address& address);

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  /// The next connection; nothing once `stop` is triggered. Logs failures (no descriptors left),
  /// calls `make_room` after them and tries again.
  [[nodiscard]] std::optional<Accepted> accept(const Interrupt& stop,
                                               const std::function<void()>& make_room);

  void close() noexcept { fd_.close(); }

 private:
  Descriptor fd_;
  std::uint16_t port_ = 0;
};

/// The most descriptors that connections may have, were they the process' only ones: others need
/// the last of them more.
[[nodiscard]] std::uint64_t descriptors_for_connections() noexcept;
/// Whether the descriptor is not one of those.
[[nodiscard]] bool is_among_the_last(const Descriptor& fd) noexcept;

}  // namespace gradmill::rpc
