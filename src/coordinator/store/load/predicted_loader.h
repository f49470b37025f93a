// Finds out which predictions a state folder holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/store/job_files.h"
#include "coordinator/store/load/loaded_state.h"
#include "coordinator/store/rows/database.h"

namespace gradmill::coordinator {

/// The part of a StateLoader that is about the predicted ranges of jobs, by the same rules: rows
/// decide, files that go further are what a crash left, and where rows are lost the files decide.
/// Both arguments must outlive it. For one thread.
class PredictedLoader {
 public:
  PredictedLoader(DatabaseContent& content, std::vector<std::string>& notes)
      : content_(content), notes_(notes) {}

  /// Whether a range that `progress` does not know was written after commit `next`.
  [[nodiscard]] static bool is_behind(const FoundJob& found,
                                      const Progress& progress,
                                      std::uint64_t next);
  /// Fills the content from the files, and takes the progress of a job that has not ended as far as
  /// they go. The newest commit that wrote one.
  std::uint64_t rebuild(const FoundJob& found,
                        const Definition& definition,
                        const std::optional<FromFile<Progress>>& state,
                        Progress& progress);
  /// Fills job.predicted. A job that has not ended goes back to its last sound range, one that has
  /// keeps those after a range that is lost. Whether `progress` is another than before.
  bool recover(const FoundJob& found,
               const Definition& definition,
               Progress& progress,
               StoredJob& job);
  /// Within a transaction; all rows if they are made anew.
  void write_rows(Database& database, const LoadedState& loaded, bool rebuilt) const;
  /// Whether a stored job has the file of this name.
  [[nodiscard]] bool is_kept(std::uint64_t number, const std::string& name) const;

 private:
  using Ranges = std::map<std::uint64_t, PredictedRange>;  // By their first rows.
  bool go_back(const FoundJob& found,
               const Definition& definition,
               Progress& progress,
               StoredJob& job);
  void list(const FoundJob& found,
            const Definition& definition,
            const Progress& progress,
            StoredJob& job);
  /// The range from `first_row` on of a job that has ended; nothing is left of one that is lost but
  /// its rows.
  PredictedRange find(const FoundJob& found, const Progress& progress, std::uint64_t first_row);

  DatabaseContent& content_;
  std::vector<std::string>& notes_;
  std::vector<std::pair<std::uint64_t, PredictedRange>> mended_;  // Rows by number of the job.
  std::map<std::uint64_t, std::uint64_t> trimmed_;                // First row to go, likewise.
  std::map<std::uint64_t, std::set<std::uint64_t>> kept_;         // First rows, likewise.
};

}  // namespace gradmill::coordinator
