// Files of a state folder that nothing stored needs.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/digest.h"
#include "coordinator/store/files/file_system.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/store_entry.h"

namespace gradmill::coordinator {

/// A file that may go.
struct UnneededFile {
  std::string name;  ///< Below the state folder.
  std::uint64_t bytes = 0;
};

/// What is to stay.
struct Needed {
  std::set<std::uint64_t> jobs;  ///< By number.
  std::set<Digest> shards;
  std::set<std::string> models;  ///< Names of files.
  std::set<std::string> files;   ///< By name; copies of the database that are kept.
};

/// What the models of `index` need, and its jobs but those in `without`; no copies of the database.
[[nodiscard]] Needed needed_by(const StoreIndex& index, std::span<const std::string> without);

/// All that is not needed, by name: shards, models, folders of jobs, temporary files and databases
/// that were moved aside. Throws std::system_error.
[[nodiscard]] std::vector<UnneededFile> find_unneeded(const StatePaths& paths,
                                                      const Needed& needed);

/// Removes `unneeded`, which is all that is not needed, and the folders of the jobs that are not.
/// Throws std::system_error.
void remove_unneeded(const StatePaths& paths,
                     FileSystem& files,
                     const Needed& needed,
                     std::span<const UnneededFile> unneeded);

/// The copies of damaged databases that are there, by name.
[[nodiscard]] std::set<std::string> find_moved_databases(const StatePaths& paths);

}  // namespace gradmill::coordinator
