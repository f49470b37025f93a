// Injected faults between the generated Thrift types and our own.
#pragma once

#include <vector>

#include <wire/coordinator_types.h>

#include "protocol/fault_settings.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] FaultSettings to_wire(const gradmill::FaultSettings& faults);
[[nodiscard]] gradmill::FaultSettings faults_from(const FaultSettings& faults);

[[nodiscard]] FaultState to_wire(const gradmill::FaultState& state);
[[nodiscard]] gradmill::FaultState fault_state_from(const FaultState& state);

[[nodiscard]] SetFaultsRequest to_wire(const gradmill::FaultTarget& target,
                                       const gradmill::FaultSettings& faults);
/// Whose faults the request is about.
[[nodiscard]] gradmill::FaultTarget fault_target_from(const SetFaultsRequest& request);

[[nodiscard]] std::vector<FaultReport> to_wire(const std::vector<gradmill::FaultReport>& reports);
[[nodiscard]] std::vector<gradmill::FaultReport> fault_reports_from(
    const std::vector<FaultReport>& reports);

}  // namespace gradmill::wire
