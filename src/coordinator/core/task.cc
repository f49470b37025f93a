#include "coordinator/core/task.h"

#include <array>
#include <cstddef>

namespace gradmill::coordinator {

std::string_view name_of(LossReason reason) {
  static constexpr std::array<std::string_view, 9> kNames = {"invalid_result",
                                                             "node_error",
                                                             "connection_lost",
                                                             "busy",
                                                             "not_found",
                                                             "cancelled",
                                                             "out_of_memory",
                                                             "node_failed",
                                                             "node_restarted"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace gradmill::coordinator
