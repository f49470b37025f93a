#include "protocol/model.h"

#include <array>
#include <cstddef>

namespace gradmill {

std::string_view name_of(AliasChange change) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "registered", "promoted", "forced", "rolled_back", "deleted"};
  return kNames[static_cast<std::size_t>(change)];
}

}  // namespace gradmill
