// The files of models in the state folder: `models/NUMBER` is a version with its model file,
// `models/aliases-SHA256` (of the name) what is known of a model's aliases.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "coordinator/store/files/file_batch.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/texts/model_texts.h"

namespace gradmill::coordinator {

/// What is in the folder of models, by name; temporary files and others are in `others`.
struct FoundModels {
  std::vector<std::uint64_t> numbers;  ///< Ascending.
  std::vector<std::string> aliases;    ///< Names of files.
  std::vector<std::string> others;     ///< Likewise.
};
/// An empty answer if there is no such folder.
[[nodiscard]] FoundModels find_models(const StatePaths& paths);

[[nodiscard]] std::string model_path(const StatePaths& paths, std::uint64_t number);
/// The name of the file, below the folder of models.
[[nodiscard]] std::string aliases_name(const std::string& model);

/// A version and the bytes of its model file.
struct StoredModel {
  NumberedModel model;
  std::string_view file;  ///< Of the bytes given.
};

/// Keeps a view of the file's bytes.
[[nodiscard]] FileContent model_content(std::uint64_t commit,
                                        const NumberedModel& model,
                                        const Blob& file);
/// What is in the bytes of the file, if every one is as it was written.
[[nodiscard]] std::optional<FromFile<StoredModel>> parse_model(std::string_view bytes,
                                                               std::uint64_t number);
[[nodiscard]] std::optional<FromFile<NumberedModel>> read_model(const StatePaths& paths,
                                                                std::uint64_t number);
/// The model file of a version, checked against its name.
[[nodiscard]] std::optional<Blob> read_model_file(const StatePaths& paths,
                                                  std::uint64_t number,
                                                  const BlobRef& ref);

[[nodiscard]] FileContent aliases_content(std::uint64_t commit, const ModelAliases& aliases);
[[nodiscard]] std::optional<FromFile<ModelAliases>> parse_aliases(std::string_view bytes);
/// Nothing also if the file is that of another model.
[[nodiscard]] std::optional<FromFile<ModelAliases>> read_aliases(const StatePaths& paths,
                                                                 const std::string& name);

}  // namespace gradmill::coordinator
