#include "protocol/node_status.h"

#include <array>
#include <cstddef>

namespace gradmill {

std::string_view name_of(NodeState state) {
  static constexpr std::array<std::string_view, 4> kNames = {"alive", "suspect", "failed", "left"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view name_of(NodeSource source) {
  static constexpr std::array<std::string_view, 3> kNames = {"listed", "joined", "added"};
  return kNames[static_cast<std::size_t>(source)];
}

}  // namespace gradmill
