// Finds out which models a state folder holds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coordinator/store/files/file_batch.h"
#include "coordinator/store/load/loaded_state.h"
#include "coordinator/store/model_files.h"
#include "coordinator/store/rows/database.h"

namespace gradmill::coordinator {

/// The part of a StateLoader that is about models, by the same rules: rows decide, files that go
/// further are what a crash left, and where the rows are damaged the files decide. For one thread.
class ModelLoader {
 public:
  ModelLoader(const StatePaths& paths, FileSystem& files) : paths_(paths), files_(files) {}

  /// Looks what files there are.
  void find();
  [[nodiscard]] bool empty() const { return found_.numbers.empty() && aliases_.empty(); }
  /// Above all numbers of files.
  [[nodiscard]] std::uint64_t next_number() const;
  /// Whether some file was written after commit `next`.
  [[nodiscard]] bool is_behind(const DatabaseContent& content, std::uint64_t next) const;
  /// Fills `content` from the files; `commits` is raised to the newest that wrote one.
  void rebuild(DatabaseContent& content, std::uint64_t& commits, std::vector<std::string>& notes);
  /// Takes over what the rows say and the files keep, and mends what is not so in the files.
  void recover(DatabaseContent& content,
               std::uint64_t commit,
               FileBatch& batch,
               LoadedState& loaded);
  /// Within a transaction; all rows if they are made anew.
  void write_rows(Database& database, const LoadedState& loaded, bool rebuilt) const;
  /// Removes files that no row knows. Throws std::system_error.
  void tidy(const LoadedState& loaded);

 private:
  const StatePaths& paths_;
  FileSystem& files_;
  FoundModels found_;
  std::map<std::string, FromFile<ModelAliases>> aliases_;  // Sound files, by name.
  std::vector<std::uint64_t> left_out_;                    // Numbers.
  std::vector<std::uint64_t> damaged_;                     // Likewise; their files stay.
};

}  // namespace gradmill::coordinator
