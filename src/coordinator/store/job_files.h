// The files of jobs and shards in the state folder: their names, what is in them, and what is
// there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "coordinator/core/record.h"
#include "coordinator/store/files/file_batch.h"
#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {

/// Names of files, all below the state folder.
class StatePaths {
 public:
  explicit StatePaths(std::string root) : root_(std::move(root)) {}
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::string at(std::string_view name) const;
  [[nodiscard]] std::string lock() const { return at("lock"); }
  [[nodiscard]] std::string identity() const { return at("identity"); }
  [[nodiscard]] std::string database() const { return at("gradmill.db"); }
  /// What a full disk is relieved by.
  [[nodiscard]] std::string reserve() const { return at("reserve"); }
  /// There if the database has shown damage; the next start checks all of it.
  [[nodiscard]] std::string suspect() const { return at("suspect"); }
  [[nodiscard]] std::string shards() const { return at("shards"); }
  [[nodiscard]] std::string jobs() const { return at("jobs"); }
  [[nodiscard]] std::string models() const { return at("models"); }
  /// Where folders of jobs go that nothing can be made of.
  [[nodiscard]] std::string damaged() const { return at("damaged"); }
  [[nodiscard]] std::string shard(const Digest& digest) const;
  /// "NUMBER-ID": ids have no other characters than letters, digits, '-', '_' and '.'.
  [[nodiscard]] std::string job_folder(const Definition& definition) const;

 private:
  std::string root_;
};

/// A folder of a job as its names tell.
struct FoundJob {
  std::uint64_t number = 0;
  std::string name;                     ///< Of the folder.
  std::string path;                     ///< Likewise.
  std::set<std::uint32_t> generations;  ///< Rounds of which there are weights.
  /// Bytes of the files of predicted ranges, by their first rows.
  std::map<std::uint64_t, std::uint64_t> predicted;
};

/// The folders of jobs, ascending; whatever else is there is no job.
[[nodiscard]] std::vector<FoundJob> find_jobs(const StatePaths& paths);

[[nodiscard]] std::string definition_path(const std::string& folder);
[[nodiscard]] std::string state_path(const std::string& folder);
[[nodiscard]] std::string weights_path(const std::string& folder, std::uint32_t round);

/// What the name of the file of a predicted range begins with, and its first row follows.
inline constexpr std::string_view kPredictionsPrefix = "predictions-";
/// Nothing if that is no such name.
[[nodiscard]] std::optional<std::uint64_t> first_row_in(std::string_view name);

/// A whole file, or nothing if it cannot be read or has more than `bytes_max`.
[[nodiscard]] std::optional<std::string> read_if_there(const std::string& path,
                                                       std::uint64_t bytes_max);

/// What a verified file says, and which commit wrote it.
template <class T>
struct FromFile {
  T value;
  std::uint64_t commit = 0;
};

/// A progress text with the number of its job, so that a file in a wrong folder shows.
[[nodiscard]] std::string numbered(std::uint64_t number, const Progress& progress);
/// Throws Damage, also if it is that of another job.
[[nodiscard]] Progress progress_of_job(std::uint64_t number, std::string_view text);

[[nodiscard]] FileContent definition_file(std::uint64_t commit, std::string text);
/// The definition in the bytes of its file, if every one is as it was written; likewise below.
[[nodiscard]] std::optional<FromFile<Definition>> parse_definition(std::string_view bytes);
/// From the file, if it is there; likewise below.
[[nodiscard]] std::optional<FromFile<Definition>> read_definition(const std::string& folder);

[[nodiscard]] FileContent state_file(std::uint64_t commit,
                                     std::uint64_t number,
                                     const Progress& progress);
[[nodiscard]] std::optional<FromFile<Progress>> parse_state(std::string_view bytes,
                                                            std::uint64_t number);
[[nodiscard]] std::optional<FromFile<Progress>> read_state(const std::string& folder,
                                                           std::uint64_t number);

/// A checkpoint with what goes with it.
struct Generation {
  Progress progress;
  Checkpoint checkpoint;
};

/// Keeps views of the checkpoint's bytes.
[[nodiscard]] FileContent weights_file(std::uint64_t commit,
                                       std::uint64_t number,
                                       const Progress& progress,
                                       const Checkpoint& checkpoint);
/// The generation of `round`.
[[nodiscard]] std::optional<FromFile<Generation>> parse_generation(std::string_view bytes,
                                                                   const Definition& definition,
                                                                   std::uint32_t round);
[[nodiscard]] std::optional<FromFile<Generation>> read_generation(const std::string& folder,
                                                                  const Definition& definition,
                                                                  std::uint32_t round);

}  // namespace gradmill::coordinator
