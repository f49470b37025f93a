#include "formats/node_list.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/number.h"
#include "formats/text.h"

namespace gradmill::formats {
namespace {

constexpr std::size_t kHostBytesMax = 253;  // The longest name that DNS allows.

bool is_graphic(char byte) { return byte > ' ' && byte < '\x7F'; }

/// The address in `line`; throws Error starting with `where`.
Address parse_address(std::string_view line, const std::string& where) {
  const std::size_t comma = line.find(',');
  if (comma == std::string_view::npos || line.find(',', comma + 1) != std::string_view::npos) {
    throw invalid_input(where + in_quotes(line) + " is not host,port");
  }
  const std::string_view host = without_brackets(trimmed(line.substr(0, comma)));
  const std::string_view port_text = trimmed(line.substr(comma + 1));
  if (host.empty()) {
    throw invalid_input(where + in_quotes(line) + " has no host; host,port is expected");
  }
  if (host.size() > kHostBytesMax) {
    throw invalid_input(where + "host " + in_quotes(host) + " has " + std::to_string(host.size()) +
                        " characters; at most " + std::to_string(kHostBytesMax) + " are allowed");
  }
  for (const char byte : host) {
    if (!is_graphic(byte)) {
      throw invalid_input(where + "host " + in_quotes(host) +
                          " has a blank or another character that no host name has");
    }
  }
  const auto port = parse_integer<std::uint16_t>(port_text);
  if (!port || *port == 0) {
    throw invalid_input(where + "port " + in_quotes(port_text) + " is not an integer in 1..65535");
  }
  return {std::string(host), *port};
}

bool is_header(std::string_view line) {
  const std::size_t comma = line.find(',');
  return comma != std::string_view::npos && trimmed(line.substr(0, comma)) == "address" &&
         trimmed(line.substr(comma + 1)) == "port";
}

}  // namespace

NodeList parse_node_list(std::string_view text, const std::string& name) {
  NodeList list;
  std::set<Address> seen;
  bool header_allowed = true;
  LineReader lines(text);
  while (const auto raw = lines.next()) {
    const std::string_view line = trimmed(raw->substr(0, raw->find('#')));
    if (line.empty() || (header_allowed && is_header(line))) {
      header_allowed = header_allowed && line.empty();
      continue;
    }
    header_allowed = false;
    const std::string where = name + ":" + std::to_string(lines.number()) + ": ";
    Address address = parse_address(line, where);
    if (seen.insert(address).second) {
      list.nodes.push_back(std::move(address));
    } else {
      list.warnings.push_back(where + address.text() + " is listed twice; it counts once");
    }
  }
  return list;
}

}  // namespace gradmill::formats
