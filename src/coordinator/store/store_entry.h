// What the store has in memory of the jobs on disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {

/// A stored job.
struct StoreEntry {
  std::shared_ptr<const Definition> definition;
  Progress progress;
};

/// The state of the folder as of the last commit. A value.
struct StoreIndex {
  std::map<std::string, StoreEntry> jobs;
  std::uint64_t next_number = 1;  ///< Of the next job, or version of a model.
  std::uint64_t commits = 0;      ///< So far, over all processes.
  /// Numbers of versions, by model and version.
  std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> models;
  /// Rounds of which there are weights, by the job's number.
  std::map<std::uint64_t, std::set<std::uint32_t>> generations;
};

}  // namespace gradmill::coordinator
