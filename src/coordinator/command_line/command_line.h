// What the user asks of the coordinator.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/tls_files.h"
#include "coordinator/core/policy/policy.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/prediction/predictor.h"

namespace gradmill::coordinator {

inline constexpr const char* kNodesOption = "--tls-nodes";

/// A command line that is understood.
struct ServeRequest {
  Address listen;       ///< Port 0 is any free one.
  int clients_max = 0;  ///< Connections served at a time.
  CoordinatorOptions options;
  PredictorOptions predictions;
  std::unique_ptr<Policy> policy;
  std::string node_list;                    ///< A path.
  bool node_list_given = false;             ///< By the user; the default one need not be there.
  bool fault_injection = false;             ///< Clients may break it on purpose.
  std::optional<TlsFiles> tls;              ///< Absent: connections are not protected.
  std::vector<std::string> tls_nodes;       ///< Names in the nodes' certificates.
  std::vector<std::string> tls_users;       ///< Names in clients' certificates, each with =ROLE.
  std::optional<std::string> state_folder;  ///< A path; absent: the user's own.
};

/// Reads the words after the program's name, and sets the format of the log as they say; nothing if
/// help or the version was asked for. Throws Error(kInvalidInput) that names the argument and its
/// value.
[[nodiscard]] std::optional<ServeRequest> parse_command_line(const std::vector<std::string>& words);

}  // namespace gradmill::coordinator
