// Collections of garbage between the generated Thrift types and our own.
#pragma once

#include <optional>

#include <wire/coordinator_types.h>

#include "protocol/garbage.h"

namespace gradmill::wire {

/// Nothing: the coordinator's own rule.
[[nodiscard]] CollectGarbageRequest to_wire(bool dry_run,
                                            const std::optional<gradmill::Retention>& rule);
/// The from_ functions throw Error(kInvalidInput) that names the field. A rule has both of its
/// parts or none: half of one would say nothing of what the other half keeps.
[[nodiscard]] std::optional<gradmill::Retention> retention_from(
    const CollectGarbageRequest& request);

[[nodiscard]] CollectGarbageResponse to_wire(const gradmill::Garbage& garbage);
[[nodiscard]] gradmill::Garbage garbage_from(const CollectGarbageResponse& response);

}  // namespace gradmill::wire
