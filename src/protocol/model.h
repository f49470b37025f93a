// Models in the registry: versions with their lineage, and aliases with their history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/blob.h"
#include "ml/topology.h"
#include "ml/training_rule.h"

namespace gradmill {

/// The validation error of one round.
struct RoundError {
  std::uint32_t round = 0;  ///< From 1.
  double error = 0;

  friend bool operator==(const RoundError&, const RoundError&) = default;
};

/// How often rows of one class were taken for another, or for their own.
struct ConfusionCount {
  std::uint32_t label = 0;      ///< What they are.
  std::uint32_t predicted = 0;  ///< What the model says.
  std::uint64_t rows = 0;       ///< >= 1.

  friend bool operator==(const ConfusionCount&, const ConfusionCount&) = default;
};

/// A confusion matrix over the validation rows.
struct Confusion {
  std::uint32_t classes = 0;
  std::vector<ConfusionCount> counts;  ///< Those above 0, ascending by label and predicted.

  friend bool operator==(const Confusion&, const Confusion&) = default;
};

/// Where a version comes from. An imported one has what its file says.
struct ModelLineage {
  std::string job;     ///< Empty: imported.
  Digest job_digest;   ///< Zero if imported.
  Digest data_digest;  ///< SHA-256 over the training shards' digests, in order; zero: unknown.
  /// Name and value of each number and choice of the training; see hyperparameters().
  std::vector<std::pair<std::string, std::string>> rule;
  std::uint64_t seed = 0;
  std::uint32_t round = 0;                 ///< Whose weights these are, from 1; 0: unknown.
  std::vector<RoundError> errors;          ///< Of the validated rounds, ascending.
  std::optional<double> validation_error;  ///< Of `round`, on the job's validation data.
  std::optional<Confusion> confusion;      ///< Likewise.

  friend bool operator==(const ModelLineage&, const ModelLineage&) = default;
};

/// One version of a named model. Immutable.
struct ModelVersion {
  std::string model;
  std::uint32_t version = 0;  ///< From 1.
  BlobRef file;               ///< The model file (safetensors), which describes itself.
  Digest parameters;          ///< Of the file's data section: the flat parameter block.
  ml::Topology topology;
  ml::Activation activation = ml::Activation::kRelu;
  ml::Precision precision = ml::Precision::kFloat;
  bool standardized = false;        ///< The file has a mean and a deviation a feature.
  std::vector<std::string> labels;  ///< Of the classes, in order of their index.
  ModelLineage lineage;
  std::int64_t created_ms = 0;  ///< Since 1970.

  friend bool operator==(const ModelVersion&, const ModelVersion&) = default;
};

/// Why an alias moved, as users see it in lower case.
enum class AliasChange {
  kRegistered,  ///< The first version became the champion.
  kPromoted,    ///< Its validation error is lower.
  kForced,      ///< Somebody wanted it whatever its validation error.
  kRolledBack,  ///< To where it pointed before.
  kDeleted,     ///< No alias: version `from` is gone.
};

[[nodiscard]] std::string_view name_of(AliasChange change);

/// One entry of the history of a model's aliases.
struct AliasMove {
  std::int64_t time_ms = 0;  ///< Since 1970.
  std::string alias;
  std::uint32_t from = 0;  ///< Version; 0: none.
  std::uint32_t to = 0;    ///< Likewise.
  AliasChange change = AliasChange::kRegistered;

  friend bool operator==(const AliasMove&, const AliasMove&) = default;
};

/// An alias and the version that it stands for.
struct ModelAlias {
  std::string alias;
  std::uint32_t version = 0;

  friend bool operator==(const ModelAlias&, const ModelAlias&) = default;
};

/// What a list of models shows of one version.
struct ModelSummary {
  std::string model;
  std::uint32_t version = 0;
  std::vector<std::string> aliases;  ///< That stand for it, in order of name.
  std::uint32_t versions = 0;        ///< Of the model.
  std::optional<double> validation_error;
  std::string topology;   ///< 16-24-26
  std::string optimizer;  ///< Empty if unknown.
  std::string job;        ///< Empty: imported.
  std::int64_t created_ms = 0;
};

/// A version and what is known about its model.
struct ModelDetails {
  ModelVersion version;
  std::vector<ModelAlias> aliases;  ///< Of the model, in order of name.
  std::vector<AliasMove> history;   ///< Likewise, oldest first.
};

/// Entries of a history that are kept, the last ones.
inline constexpr std::size_t kHistoryMax = 1000;

/// The alias that a model's name alone means.
inline constexpr std::string_view kChampion = "champion";

}  // namespace gradmill
