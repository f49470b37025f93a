// Models for people and scripts.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "client/request/request.h"
#include "protocol/model.h"

namespace gradmill::client {

/// As a table or a JSON list, in the order given.
void write_models(std::ostream& to, const std::vector<ModelSummary>& models, Format format);

/// Text has the last errors and the worst confusions; JSON all of them.
void write_model_details(std::ostream& to, const ModelDetails& model, Format format);

/// Where an alias of the model stands now, and stood before.
void write_move(std::ostream& to, const std::string& model, const AliasMove& move, Format format);

}  // namespace gradmill::client
