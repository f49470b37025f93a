// The registry of models: versions, aliases and their history, as a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/core/record.h"
#include "protocol/model.h"

namespace gradmill::coordinator {

/// Versions that one model may have, and models that there may be.
inline constexpr std::size_t kVersionsMax = 20'000;
inline constexpr std::size_t kModelsMax = 10'000;

/// Keeps the names straight; where bytes are kept is no matter of it. References are NAME,
/// NAME@VERSION or NAME@ALIAS. Every call may throw Error(kInvalidInput), or Error(kNotFound), with
/// a line that names what is wrong or missing; then nothing has changed. Not thread-safe.
class ModelRegistry {
 public:
  /// Takes up what was stored; of each model, the versions before the aliases.
  void restore(ModelVersion version);
  void restore(ModelAliases aliases);

  /// Gives `version` the number after the last ever given in its model. The first version of a
  /// model becomes its champion: then the move is returned.
  std::optional<AliasMove> add(ModelVersion& version);
  /// Throws if add() could not take another version of this model.
  void check_room(const std::string& model) const;

  /// What is to be durable of a model besides its versions.
  [[nodiscard]] ModelAliases aliases(const std::string& model) const;
  [[nodiscard]] const ModelVersion& resolve(std::string_view reference) const {
    return *share(reference);
  }
  /// The same, for those who keep it.
  [[nodiscard]] std::shared_ptr<const ModelVersion> share(std::string_view reference) const;
  /// The version whose file is `file`; null if there is none.
  [[nodiscard]] const ModelVersion* with_file(const BlobRef& file) const;
  /// The version of the model that has this file; null if there is none.
  [[nodiscard]] const ModelVersion* with_file(const std::string& model, const BlobRef& file) const;
  /// The newest version of `model` that this job registered, if it is still there.
  [[nodiscard]] std::optional<std::uint32_t> version_by(const std::string& model,
                                                        const std::string& job) const;
  /// The champion of each model, or its newest version if it has none.
  [[nodiscard]] std::vector<ModelSummary> list() const;
  /// Versions of a model, newest first.
  [[nodiscard]] std::vector<ModelSummary> list(const std::string& model) const;
  [[nodiscard]] ModelDetails details(std::string_view reference) const;

  /// Points the alias at this version if the alias is new, or if the version's validation error is
  /// lower than that of the version it points at now; always if `force`. Nothing is returned if it
  /// points there already.
  std::optional<AliasMove> promote(std::string_view reference,
                                   const std::string& alias,
                                   bool force,
                                   std::int64_t now_ms);
  /// Points the alias, which stands for `from`, at the version, among those that are still there,
  /// that it stood for before.
  AliasMove roll_back(const std::string& model,
                      const std::string& alias,
                      std::uint32_t from,
                      std::int64_t now_ms);
  /// Forgets a version that no alias stands for; the move says so.
  AliasMove remove_version(const std::string& model, std::uint32_t version, std::int64_t now_ms);
  /// Forgets the model with all of its versions.
  void remove_model(const std::string& model);

 private:
  struct Model {
    std::uint32_t last = 0;  // Version ever given.
    std::map<std::uint32_t, std::shared_ptr<const ModelVersion>> versions;
    std::map<std::string, std::uint32_t> by_job;  // Newest version, for jobs that have one.
    std::map<std::string, std::uint32_t> aliases;
    std::vector<AliasMove> history;
  };
  [[nodiscard]] const Model& at(const std::string& name) const;
  [[nodiscard]] static const std::shared_ptr<const ModelVersion>& version_at(
      const Model& model, const std::string& name, std::uint32_t version);
  [[nodiscard]] static std::uint32_t alias_at(const Model& model,
                                              const std::string& name,
                                              const std::string& alias);
  [[nodiscard]] static ModelSummary summary(const Model& model, const ModelVersion& version);
  static void apply(Model& model, AliasMove move);
  static void put(Model& model, ModelVersion version);

  std::map<std::string, Model> models_;
};

}  // namespace gradmill::coordinator
