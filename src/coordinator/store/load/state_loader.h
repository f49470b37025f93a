// Finds out what a state folder holds, whatever has happened to it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/ports/job_store.h"
#include "coordinator/store/files/file_batch.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/load/loaded_state.h"
#include "coordinator/store/load/model_loader.h"
#include "coordinator/store/load/predicted_loader.h"
#include "coordinator/store/rows/database.h"
#include "coordinator/store/store_entry.h"

namespace gradmill::coordinator {

/// Loads one folder once. The rows decide what is so, and files that go further are what a crash
/// left. Where the rows are damaged, or so old that files of several commits go further, the files
/// decide, and the rows are made anew.
class StateLoader {
 public:
  StateLoader(const StatePaths& paths, FileSystem& files)
      : paths_(paths),
        files_(files),
        models_(paths, files),
        predicted_(content_, loaded_.state.notes) {}
  /// Throws Error(kInvalidInput), std::system_error or DatabaseUnavailable; then nothing is lost.
  [[nodiscard]] LoadedState load();

 private:
  /// A folder and what its two small files say.
  struct Folder {
    FoundJob found;
    std::optional<FromFile<Definition>> definition;
    std::optional<FromFile<Progress>> state;
  };

  void read_identity();
  void read_folders();
  void read_database();
  /// Whether some file was written two commits after the last row or later.
  [[nodiscard]] bool is_behind() const;
  void rebuild(const std::string& why);
  void move_database_aside();
  /// How far the job in the folder is, by its files alone.
  [[nodiscard]] std::optional<Progress> progress_in(const Folder& folder);

  void recover(const Definition& definition, Progress progress);
  /// The newest sound generation that is not after the progress; else the next after it.
  [[nodiscard]] std::optional<FromFile<Generation>> choose_generation(const Folder& folder,
                                                                      const Definition& definition,
                                                                      const Progress& progress);
  void mend_files(const Folder& folder, const StoreEntry& entry);
  [[nodiscard]] std::vector<RoundReport> reports_of(const StoreEntry& entry);
  void leave_out(const Definition& definition, const std::string& why);

  // state_mending.cc
  void write();
  void write_rows();
  // state_tidying.cc
  void tidy();
  void tidy_job(const Folder& folder, const StoreEntry& entry);
  void note(const std::string& text) { loaded_.state.notes.push_back(text); }

  const StatePaths& paths_;
  FileSystem& files_;
  LoadedState loaded_;
  ModelLoader models_;
  std::map<std::uint64_t, Folder> folders_;  // By number of the job.
  DatabaseContent content_;
  PredictedLoader predicted_;
  bool rebuilt_ = false;
  bool make_tables_ = false;
  std::uint64_t epoch_before_ = 0;
  std::uint64_t commit_ = 0;                        // Of what is mended.
  std::unique_ptr<FileBatch> batch_;                // Likewise.
  std::vector<std::uint64_t> left_out_;             // Numbers.
  std::map<std::uint64_t, std::uint32_t> trimmed_;  // Last round by number.
};

}  // namespace gradmill::coordinator
