// The JSON texts of models, as in stored_texts.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "coordinator/core/record.h"
#include "protocol/model.h"

namespace gradmill::coordinator {

/// A version and its number, which rises with each submission of a job and each registration of a
/// version, and is never used again.
struct NumberedModel {
  std::uint64_t number = 0;
  ModelVersion version;
};

[[nodiscard]] std::string text_of(const NumberedModel& model);
[[nodiscard]] NumberedModel model_of(std::string_view text);
[[nodiscard]] std::string text_of(const ModelAliases& aliases);
[[nodiscard]] ModelAliases aliases_of(std::string_view text);

}  // namespace gradmill::coordinator
