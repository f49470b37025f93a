#include "base/address.h"

#include <cstddef>

#include "base/number.h"

namespace gradmill {

std::string Address::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]:" : host + ":") + std::to_string(port);
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view host = without_brackets(text.substr(0, colon));
  const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1));
  // An opening bracket that is left has no end before the port, as in [::1.
  if (host.empty() || host.front() == '[' || !port || *port == 0) {
    return std::nullopt;
  }
  return Address{std::string(host), *port};
}

std::string_view without_brackets(std::string_view host) {
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return has_brackets && host.find(':') != std::string_view::npos ? host.substr(1, host.size() - 2)
                                                                  : host;
}

}  // namespace gradmill
