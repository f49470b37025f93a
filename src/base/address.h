// Host and port of a peer.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gradmill {

/// Where a server listens. `host` is a name, an IPv4 address, or an IPv6 address without brackets.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  friend auto operator<=>(const Address&, const Address&) = default;
  /// "host:port", with brackets around an IPv6 address.
  [[nodiscard]] std::string text() const;
};

/// The address in "host:port" or "[host]:port". What follows the last colon is the port, 1 to
/// 65535; nothing if there is no host or no such port.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

/// `host` without the brackets that may be around an IPv6 address; other brackets stay.
[[nodiscard]] std::string_view without_brackets(std::string_view host);

}  // namespace gradmill
