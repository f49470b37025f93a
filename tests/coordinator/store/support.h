// Folders, records and faults for the tests of the state folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "coordinator/core/record.h"
#include "coordinator/ports/job_store.h"
#include "coordinator/store/files/file_system.h"

namespace gradmill::coordinator {

/// A state folder of its own for each test, removed after it.
class StateFolder : public testing::Test {
 protected:
  StateFolder();
  ~StateFolder() override;

  [[nodiscard]] std::string path() const { return (folder_ / "state").string(); }
  [[nodiscard]] std::string at(const std::string& name) const { return path() + "/" + name; }
  /// Another name beside the folder.
  [[nodiscard]] std::string beside(const std::string& name) const {
    return (folder_ / name).string();
  }
  /// Opens, loads, commits and closes.
  void commit(const std::vector<Record>& records);
  /// The path of the only folder of the job.
  [[nodiscard]] std::string job_folder(const std::string& job) const;

  std::filesystem::path folder_;
};

void put(const std::string& file, std::string_view content);
[[nodiscard]] std::string content(const std::string& file);
/// Copies a folder as it lies, replacing `to`.
void copy_folder(const std::string& from, const std::string& to);
[[nodiscard]] std::vector<std::string> names_in(const std::string& folder);

[[nodiscard]] JobSpecification specification(std::uint64_t seed = 1);
[[nodiscard]] std::vector<Blob> blobs();
[[nodiscard]] JobAdded added(const std::string& job, std::uint64_t seed = 1);
[[nodiscard]] RoundFinished finished(const std::string& job, std::uint32_t round);
[[nodiscard]] QueryStatistics statistics();
/// With these statistics.
[[nodiscard]] JobMoved ended(const std::string& job);
[[nodiscard]] JobMoved moved(const std::string& job, JobState state);
/// A prediction job of thirty rows in two shards.
[[nodiscard]] JobAdded predicting(const std::string& job);
/// Of a range all of whose rows but the first are right.
[[nodiscard]] RowsPredicted predicted(const std::string& job,
                                      std::uint64_t first_row,
                                      std::uint64_t rows);
/// The version's model file is "file VERSION of MODEL".
[[nodiscard]] ModelAdded registered(const std::string& model, std::uint32_t version);
[[nodiscard]] ModelAliases aliased(const std::string& model, std::uint32_t champion);
[[nodiscard]] JobLogged logged(const std::string& job, std::uint64_t sequence);

/// All that a store tells, as a text; without coordinator, epoch and notes.
[[nodiscard]] std::string describe(const StoredState& state, JobStore& store);
/// Opens the folder and describes it.
[[nodiscard]] std::string describe(const std::string& path);

template <typename Function>
std::optional<Error> error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// The process is gone.
struct Crash {};

/// Fails one step: it either throws once, as a full disk does, or nothing happens from it on, as
/// after a crash, and what it was about to write is there in part.
class FaultyFileSystem final : public FileSystem {
 public:
  enum class Fault { kNone, kThrow, kCrash };

  void fail(Fault fault, unsigned step) {
    fault_ = fault;
    left_ = step;
    failed_ = false;
  }
  [[nodiscard]] bool failed() const { return failed_; }

  void make_folder(const std::string& path) override;
  void write(const std::string& path, std::span<const std::string_view> parts) override;
  void sync(std::span<const std::string> paths) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void transact(const std::function<void()>& transaction) override;

 private:
  /// Counts a step. Throws if it is the one.
  void step();

  Fault fault_ = Fault::kNone;
  unsigned left_ = 0;
  bool failed_ = false;
};

}  // namespace gradmill::coordinator
