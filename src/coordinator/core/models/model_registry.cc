#include "coordinator/core/models/model_registry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "protocol/model_metadata.h"
#include "protocol/model_name.h"

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kNamedMax = 8;

Error not_found(const std::string& message) { return {ErrorCode::kNotFound, message}; }

/// "; there are A, B, ..." or what to say if there is none.
template <class Items, class Name>
std::string what_there_is(const Items& items, const std::string& none, const Name& name) {
  if (items.empty()) {
    return "; " + none;
  }
  std::string text;
  std::size_t count = 0;
  for (const auto& item : items) {
    if (count++ == kNamedMax) {
      return "; there are" + text + ", ...";
    }
    text += (text.empty() ? " " : ", ") + name(item.first);
  }
  return (items.size() == 1 ? "; there is" : "; there are") + text;
}

std::string error_text(const std::optional<double>& error) {
  if (!error) {
    return "none";
  }
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), *error).ptr};
}

/// Where the alias stood, oldest first, without what was rolled back.
std::vector<std::uint32_t> stations(const std::vector<AliasMove>& history,
                                    const std::string& alias) {
  std::vector<std::uint32_t> stack;
  for (const AliasMove& move : history) {
    if (move.change == AliasChange::kDeleted || move.alias != alias) {
      continue;
    }
    if (move.change == AliasChange::kRolledBack) {
      while (!stack.empty() && stack.back() != move.to) {
        stack.pop_back();
      }
    }
    if (stack.empty() || stack.back() != move.to) {
      stack.push_back(move.to);
    }
  }
  return stack;
}

}  // namespace

void ModelRegistry::restore(ModelVersion version) {
  Model& model = models_[version.model];
  model.last = std::max(model.last, version.version);
  put(model, std::move(version));
}

void ModelRegistry::put(Model& model, ModelVersion version) {
  const std::uint32_t number = version.version;
  if (!version.lineage.job.empty()) {
    std::uint32_t& newest = model.by_job[version.lineage.job];
    newest = std::max(newest, number);
  }
  model.versions.insert_or_assign(number, std::make_shared<const ModelVersion>(std::move(version)));
}

void ModelRegistry::restore(ModelAliases aliases) {
  const auto found = models_.find(aliases.model);
  if (found == models_.end()) {
    return;
  }
  for (AliasMove& move : aliases.history) {
    apply(found->second, std::move(move));
  }
  Model& model = found->second;
  model.last = std::max(model.last, aliases.last_version);
  // Where the history is lost, the first version that is left stands for the model.
  model.aliases.try_emplace(std::string(kChampion), model.versions.begin()->first);
}

void ModelRegistry::apply(Model& model, AliasMove move) {
  if (move.change != AliasChange::kDeleted && model.versions.contains(move.to)) {
    model.aliases[move.alias] = move.to;
  }
  model.history.push_back(std::move(move));
  if (model.history.size() > kHistoryMax) {
    model.history.erase(model.history.begin());
  }
}

ModelAliases ModelRegistry::aliases(const std::string& name) const {
  const Model& model = at(name);
  return {name, model.last, model.history};
}

void ModelRegistry::check_room(const std::string& name) const {
  check_model_name(name);
  const auto model = models_.find(name);
  if (model == models_.end() && models_.size() >= kModelsMax) {
    throw Error(ErrorCode::kUnavailable,
                "there are " + std::to_string(kModelsMax) + " models; delete some first");
  }
  if (model != models_.end() && model->second.versions.size() >= kVersionsMax) {
    throw Error(ErrorCode::kUnavailable,
                "the model " + quoted_name(name) + " has " + std::to_string(kVersionsMax) +
                    " versions; delete some first");
  }
}

std::optional<AliasMove> ModelRegistry::add(ModelVersion& version) {
  check_room(version.model);
  Model& model = models_[version.model];
  version.version = ++model.last;
  put(model, version);
  if (model.aliases.contains(std::string(kChampion))) {
    return std::nullopt;
  }
  const AliasMove move{
      version.created_ms, std::string(kChampion), 0, version.version, AliasChange::kRegistered};
  apply(model, move);
  return move;
}

const ModelRegistry::Model& ModelRegistry::at(const std::string& name) const {
  check_model_name(name);
  const auto found = models_.find(name);
  if (found == models_.end()) {
    throw not_found("there is no model " + quoted_name(name) +
                    what_there_is(models_, "no model is registered yet", quoted_name));
  }
  return found->second;
}

const std::shared_ptr<const ModelVersion>& ModelRegistry::version_at(const Model& model,
                                                                     const std::string& name,
                                                                     std::uint32_t version) {
  const auto found = model.versions.find(version);
  if (found == model.versions.end()) {
    throw not_found("the model " + quoted_name(name) + " has no version " +
                    std::to_string(version) +
                    what_there_is(model.versions, "it has none", [](std::uint32_t number) {
                      return std::to_string(number);
                    }));
  }
  return found->second;
}

std::uint32_t ModelRegistry::alias_at(const Model& model,
                                      const std::string& name,
                                      const std::string& alias) {
  check_model_alias(alias);
  const auto found = model.aliases.find(alias);
  if (found == model.aliases.end()) {
    throw not_found(
        "the model " + quoted_name(name) + " has no alias " + quoted_name(alias) +
        what_there_is(model.aliases, "it has none", [](const std::string& one) { return one; }));
  }
  return found->second;
}

std::shared_ptr<const ModelVersion> ModelRegistry::share(std::string_view text) const {
  const ModelReference reference = parse_model_reference(text);
  const Model& model = at(reference.model);
  return version_at(model,
                    reference.model,
                    reference.version > 0 ? reference.version
                                          : alias_at(model, reference.model, reference.alias));
}

const ModelVersion* ModelRegistry::with_file(const BlobRef& file) const {
  for (const auto& [name, model] : models_) {
    for (const auto& [number, version] : model.versions) {
      if (version->file == file) {
        return version.get();
      }
    }
  }
  return nullptr;
}

const ModelVersion* ModelRegistry::with_file(const std::string& name, const BlobRef& file) const {
  const auto model = models_.find(name);
  if (model == models_.end()) {
    return nullptr;
  }
  const auto& versions = model->second.versions;
  const auto found = std::find_if(
      versions.begin(), versions.end(), [&](const auto& one) { return one.second->file == file; });
  return found == versions.end() ? nullptr : found->second.get();
}

ModelSummary ModelRegistry::summary(const Model& model, const ModelVersion& version) {
  ModelSummary summary;
  summary.model = version.model;
  summary.version = version.version;
  for (const auto& [alias, number] : model.aliases) {
    if (number == version.version) {
      summary.aliases.push_back(alias);
    }
  }
  summary.versions = static_cast<std::uint32_t>(model.versions.size());
  summary.validation_error = version.lineage.validation_error;
  summary.topology = topology_text(version.topology);
  for (const auto& [name, value] : version.lineage.rule) {
    if (name == "optimizer") {
      summary.optimizer = value;
    }
  }
  summary.job = version.lineage.job;
  summary.created_ms = version.created_ms;
  return summary;
}

std::optional<std::uint32_t> ModelRegistry::version_by(const std::string& model,
                                                       const std::string& job) const {
  const auto found = models_.find(model);
  if (found == models_.end()) {
    return std::nullopt;
  }
  const auto version = found->second.by_job.find(job);
  return version != found->second.by_job.end() && found->second.versions.contains(version->second)
             ? std::optional(version->second)
             : std::nullopt;
}

std::vector<ModelSummary> ModelRegistry::list() const {
  std::vector<ModelSummary> all;
  for (const auto& [name, model] : models_) {
    const auto champion = model.aliases.find(std::string(kChampion));
    if (champion != model.aliases.end()) {
      all.push_back(summary(model, *model.versions.at(champion->second)));
    } else if (!model.versions.empty()) {
      all.push_back(summary(model, *model.versions.rbegin()->second));
    }
  }
  return all;
}

std::vector<ModelSummary> ModelRegistry::list(const std::string& name) const {
  const Model& model = at(name);
  std::vector<ModelSummary> all;
  for (auto version = model.versions.rbegin(); version != model.versions.rend(); ++version) {
    all.push_back(summary(model, *version->second));
  }
  return all;
}

ModelDetails ModelRegistry::details(std::string_view reference) const {
  ModelDetails details;
  details.version = resolve(reference);
  const Model& model = at(details.version.model);
  for (const auto& [alias, version] : model.aliases) {
    details.aliases.push_back({alias, version});
  }
  details.history = model.history;
  return details;
}

std::optional<AliasMove> ModelRegistry::promote(std::string_view reference,
                                                const std::string& alias,
                                                bool force,
                                                std::int64_t now_ms) {
  check_model_alias(alias);
  const ModelVersion& version = resolve(reference);
  Model& model = models_.at(version.model);
  const auto present = model.aliases.find(alias);
  const std::uint32_t from = present == model.aliases.end() ? 0 : present->second;
  if (from == version.version) {
    return std::nullopt;
  }
  if (from > 0 && !force) {
    const std::optional<double>& ours = version.lineage.validation_error;
    const std::optional<double>& theirs = model.versions.at(from)->lineage.validation_error;
    if (!ours || !theirs || !(*ours < *theirs)) {
      throw invalid_input("the validation error of " +
                          version_reference(version.model, version.version) + " (" +
                          error_text(ours) + ") is not lower than that of " +
                          version_reference(version.model, from) + " (" + error_text(theirs) +
                          "), which is " + alias + "; --force promotes it all the same");
    }
  }
  const AliasMove move{
      now_ms, alias, from, version.version, force ? AliasChange::kForced : AliasChange::kPromoted};
  apply(model, move);
  return move;
}

AliasMove ModelRegistry::roll_back(const std::string& name,
                                   const std::string& alias,
                                   std::uint32_t from,
                                   std::int64_t now_ms) {
  const std::uint32_t present = alias_at(at(name), name, alias);
  if (present != from) {
    throw invalid_input("the alias " + alias + " of the model " + quoted_name(name) +
                        " stands for version " + std::to_string(present) + " now, and not for " +
                        std::to_string(from));
  }
  Model& model = models_.at(name);
  std::vector<std::uint32_t> stack = stations(model.history, alias);
  while (!stack.empty() && (stack.back() == present || !model.versions.contains(stack.back()))) {
    stack.pop_back();
  }
  if (stack.empty()) {
    throw invalid_input("the alias " + alias + " of the model " + quoted_name(name) +
                        " stood for no other version before " + std::to_string(present) +
                        " that is still there");
  }
  AliasMove move{now_ms, alias, present, stack.back(), AliasChange::kRolledBack};
  apply(model, move);
  return move;
}

AliasMove ModelRegistry::remove_version(const std::string& name,
                                        std::uint32_t number,
                                        std::int64_t now_ms) {
  static_cast<void>(version_at(at(name), name, number));
  Model& model = models_.at(name);
  for (const auto& [alias, version] : model.aliases) {
    if (version == number) {
      throw invalid_input("version " + std::to_string(number) + " of the model " +
                          quoted_name(name) + " is its " + alias +
                          "; promote another version to that alias first, or delete the whole "
                          "model");
    }
  }
  model.versions.erase(number);
  AliasMove move{now_ms, "", number, 0, AliasChange::kDeleted};
  apply(model, move);
  return move;
}

void ModelRegistry::remove_model(const std::string& name) {
  static_cast<void>(at(name));
  models_.erase(name);
}

}  // namespace gradmill::coordinator
