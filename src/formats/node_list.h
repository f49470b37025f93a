// The list of compute nodes: `host,port` a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace gradmill::formats {

/// A parsed node list.
struct NodeList {
  std::vector<Address> nodes;         ///< In file order, without duplicates.
  std::vector<std::string> warnings;  ///< One line each: "name:line: ... is listed twice".
};

/// Parses `text` as the content of file `name`. Blank lines, comments from `#` to the end of the
/// line, `address,port` as a header above all nodes, LF and CRLF, a byte-order mark and blanks
/// around fields are accepted. Throws Error(kInvalidInput) "name:line: ..." for anything else, also
/// a port outside 1..65535.
[[nodiscard]] NodeList parse_node_list(std::string_view text, const std::string& name);

}  // namespace gradmill::formats
