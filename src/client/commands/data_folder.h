// A folder of data: train_*.txt and validate_*.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/blob.h"

namespace gradmill::client {

/// One file of the folder as a shard.
struct DataFile {
  std::string name;  ///< Without the folder.
  Blob blob;         ///< The shard blob.
};

/// A data set, ready to be submitted.
struct DataSet {
  std::vector<DataFile> training;    ///< Natural order of file names: the order of the shards.
  std::vector<DataFile> validation;  ///< Likewise.
  std::uint32_t features = 0;
  std::uint32_t classes = 0;  ///< Largest training label + 1, or what was asked for.
};

/// Reads all files of `folder` called train_*.txt and validate_*.txt. All have the same number of
/// columns; labels are below `classes` if given, and labels of validation files below the largest
/// training label + 1 if not. Throws Error(kInvalidInput) that names the folder, or file and line.
[[nodiscard]] DataSet read_data_folder(const std::string& folder,
                                       std::optional<std::uint32_t> classes);

}  // namespace gradmill::client
