// The node's way to one coordinator.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/address.h"
#include "protocol/node_status.h"

namespace gradmill::node {

/// What a node says of itself when it joins.
struct Announcement {
  Address address;          ///< Where coordinators reach it.
  std::string incarnation;  ///< As in its hello.
};

/// Calls one coordinator, in seconds at most. For one thread at a time, except interrupt().
class JoinLink {
 public:
  virtual ~JoinLink() = default;
  /// Announces the node. Throws Error, its message beginning with the coordinator's address:
  /// kUnreachable or kUnavailable if it may work later, others if the announcement is at fault.
  [[nodiscard]] virtual JoinAnswer join(const Announcement& announcement) = 0;
  /// Makes the call in progress and all later ones fail at once. From any thread.
  virtual void interrupt() = 0;
};

/// Makes a link to the coordinator at an address.
using JoinLinkFactory = std::function<std::unique_ptr<JoinLink>(const Address&)>;

}  // namespace gradmill::node
