// Nodes, as the coordinator sees them, between the generated Thrift types and our own.
#pragma once

#include <string>

#include <wire/coordinator_types.h>

#include "protocol/node_status.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] NodeStatus to_wire(const gradmill::NodeStatus& node);
[[nodiscard]] gradmill::NodeStatus node_status_from(const NodeStatus& node);

[[nodiscard]] JoinResponse to_wire(const gradmill::JoinAnswer& answer);
[[nodiscard]] gradmill::JoinAnswer join_answer_from(const JoinResponse& response);

/// The incarnation that a node says it has.
[[nodiscard]] std::string incarnation_from(const std::string& incarnation);

}  // namespace gradmill::wire
