// Who wants to know which nodes answer.
#pragma once

#include <string>

#include "base/address.h"
#include "coordinator/core/policy/policy.h"

namespace gradmill::coordinator {

/// Hears of each node when this changes, in order. Called under the coordinator's lock: must be
/// short, and must not call back.
class NodeListener {
 public:
  virtual ~NodeListener() = default;
  /// The node answers and gives the same bits as all others.
  virtual void node_serves(NodeId node, const Address& address, const std::string& incarnation) = 0;
  /// Nobody knows how it is.
  virtual void node_silent(NodeId node) = 0;
  /// It has failed, left or been taken out.
  virtual void node_gone(NodeId node) = 0;
};

}  // namespace gradmill::coordinator
