// Host and port of a peer.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace gradmill {

/// Where a server listens. `host` is a name or an IPv4 address.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  friend auto operator<=>(const Address&, const Address&) = default;
  [[nodiscard]] std::string text() const { return host + ":" + std::to_string(port); }
};

}  // namespace gradmill
