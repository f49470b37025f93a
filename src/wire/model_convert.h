// Models between the generated Thrift types and our own.
#pragma once

#include <vector>

#include <wire/coordinator_types.h>

#include "protocol/model.h"

namespace gradmill::wire {

/// The from_ functions throw Error(kInvalidInput) that names the field.
[[nodiscard]] ListModelsResponse to_wire(const std::vector<gradmill::ModelSummary>& models);
[[nodiscard]] std::vector<gradmill::ModelSummary> models_from(const ListModelsResponse& response);

[[nodiscard]] GetModelResponse to_wire(const gradmill::ModelDetails& details);
[[nodiscard]] gradmill::ModelDetails model_from(const GetModelResponse& response);

[[nodiscard]] AliasMove to_wire(const gradmill::AliasMove& move);
[[nodiscard]] gradmill::AliasMove move_from(const AliasMove& move);

}  // namespace gradmill::wire
