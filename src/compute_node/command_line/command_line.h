// What the user asks of a compute node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/tls_files.h"
#include "compute_node/worker/worker.h"

namespace gradmill::node {

inline constexpr const char* kCoordinatorsOption = "--tls-coordinators";

/// What --join and --advertise ask for.
struct JoinRequest {
  std::vector<Address> coordinators;  ///< Empty: join nobody.
  std::string host;
  std::uint16_t port = 0;  ///< 0: the one that the node listens on.
};

/// A command line that is understood.
struct ServeRequest {
  Address listen;       ///< Port 0 is any free one.
  int clients_max = 0;  ///< Connections served at a time.
  WorkerOptions options;
  double load_probability = 0;
  std::uint64_t seed = 0;        ///< Of the simulated load, and of injected faults.
  bool fault_injection = false;  ///< Clients may break the node on purpose.
  JoinRequest join;
  std::optional<TlsFiles> tls;            ///< Absent: connections are not protected.
  std::vector<std::string> coordinators;  ///< Names in the certificates of those it works for.
};

/// Reads the words after the program's name, and sets the format of the log as they say; nothing if
/// help or the version was asked for. Throws Error(kInvalidInput) that names the argument and its
/// value.
[[nodiscard]] std::optional<ServeRequest> parse_command_line(const std::vector<std::string>& words);

}  // namespace gradmill::node
