#include "coordinator/store/state_folder_store.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "coordinator/store/commit/commit_plan.h"
#include "coordinator/store/commit/needless_files.h"
#include "coordinator/store/files/file_batch.h"
#include "coordinator/store/files/file_identity.h"
#include "coordinator/store/files/folder_lock.h"
#include "coordinator/store/files/room_reserve.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/load/state_loader.h"
#include "coordinator/store/model_files.h"
#include "coordinator/store/predicted_files.h"
#include "coordinator/store/rows/database.h"
#include "coordinator/store/rows/database_reader.h"
#include "coordinator/store/rows/sqlite_session.h"
#include "coordinator/store/state_garbage.h"

namespace gradmill::coordinator {
namespace {

// Beside its blobs, a job needs room for its first weights, rows and small files.
constexpr std::uint64_t kBesideBlobs = std::uint64_t{256} << 10U;

template <class Kind>
bool has(std::span<const Record> records) {
  return std::any_of(records.begin(), records.end(), [](const Record& record) {
    return std::holds_alternative<Kind>(record);
  });
}

/// The store. `writing_` is held for a whole commit; `reading_` guards the index and the reader,
/// and is held for moments.
class StateFolderStore final : public JobStore {
 public:
  StateFolderStore(const std::string& path, const std::string& holder, FileSystem& files)
      : paths_(path), files_(files), lock_(path, holder), reserve_(paths_.reserve()) {}

  [[nodiscard]] StoredState load() override {
    const std::lock_guard writing(writing_);
    try {
      before_ = find_moved_databases(paths_);
      LoadedState loaded = relieved(0, [&] { return StateLoader(paths_, files_).load(); });
      loaded.database->fold_log();
      reserve_.grow();
      database_file_ = identity_of(paths_.database());
      const std::lock_guard reading(reading_);
      index_ = std::move(loaded.index);
      database_ = std::move(loaded.database);
      loaded_ = true;
      return std::move(loaded.state);
    } catch (const std::system_error& error) {
      throw refusal(is_no_room(error.code()) ? "there is no room (" + error.code().message() + ")"
                                             : error.code().message());
    } catch (const DatabaseUnavailable& error) {
      throw refusal(error.what());
    } catch (const Damage& damage) {
      throw refusal(damage.what());
    }
  }

  void commit(std::span<const Record> records) override {
    const std::lock_guard writing(writing_);
    GRADMILL_CHECK(loaded_);
    if (!records.empty()) {
      translated([&] {
        require_in_place();
        commit_with_room(records);
      });
    }
  }

  void check_room(std::span<const BlobRef> blobs) override {
    std::uint64_t bytes = kBesideBlobs;
    for (const BlobRef& ref : blobs) {
      bytes += identity_of(paths_.shard(ref.digest)) ? 0 : ref.bytes;
    }
    std::error_code failure;
    const auto space = std::filesystem::space(paths_.root(), failure);
    if (!failure && space.available < bytes) {
      throw failed(without_room("it needs " + std::to_string(bytes) + " bytes, and there are " +
                                std::to_string(space.available)));
    }
  }

  [[nodiscard]] std::optional<Blob> blob(const BlobRef& ref) override {
    auto bytes = translated([&] { return read_if_there(paths_.shard(ref.digest), ref.bytes); });
    if (!bytes) {
      return std::nullopt;
    }
    Blob found = make_blob(std::move(*bytes));
    return found.ref == ref ? std::optional(std::move(found)) : std::nullopt;
  }

  [[nodiscard]] std::optional<Blob> weights(const std::string& job) override {
    const auto entry = find(job);
    if (!entry) {
      return std::nullopt;
    }
    const Progress& progress = entry->progress;
    const BlobRef& ref = progress.best_round > 0 ? progress.best_weights : progress.weights;
    const auto generation = translated([&] {
      return read_generation(
          paths_.job_folder(*entry->definition), *entry->definition, progress.round);
    });
    if (!generation) {
      return std::nullopt;
    }
    const Blob& found = generation->value.checkpoint.result();
    return found.ref == ref && sha256(*found.bytes) == ref.digest ? std::optional(found)
                                                                  : std::nullopt;
  }

  [[nodiscard]] std::optional<Blob> predictions(const std::string& job,
                                                std::uint64_t first_row) override {
    const auto entry = find(job);
    if (!entry || first_row >= entry->progress.predicted) {
      return std::nullopt;
    }
    const Definition& definition = *entry->definition;
    return translated([&] {
      return read_predicted(paths_.job_folder(definition), definition.number, first_row);
    });
  }

  [[nodiscard]] std::optional<Blob> model(const ModelVersion& version) override {
    std::optional<std::uint64_t> number;
    {
      const std::lock_guard reading(reading_);
      const auto found = index_.models.find({version.model, version.version});
      number = found == index_.models.end() ? std::nullopt : std::optional(found->second);
    }
    return number ? translated([&] { return read_model_file(paths_, *number, version.file); })
                  : std::nullopt;
  }

  [[nodiscard]] std::vector<RoundReport> rounds(const std::string& job,
                                                std::uint32_t after,
                                                std::uint32_t limit) override {
    const auto entry = find(job);
    if (!entry || entry->progress.round <= after) {
      return {};
    }
    const std::uint32_t last = after + std::min(limit, entry->progress.round - after);
    auto known = read([&](DatabaseReader& reader) {
      return reader.rounds(entry->definition->number, after, last);
    });
    std::vector<RoundReport> reports;
    for (std::uint32_t round = after + 1; round <= last; ++round) {
      known[round].round = round;
      reports.push_back(std::move(known[round]));
    }
    return reports;
  }

  [[nodiscard]] std::vector<JobEvent> events(const std::string& job,
                                             std::uint64_t after,
                                             std::uint32_t limit) override {
    const auto entry = find(job);
    if (!entry) {
      return {};
    }
    return read([&](DatabaseReader& reader) {
      return reader.events(entry->definition->number, after, limit);
    });
  }

  [[nodiscard]] Garbage collect(std::span<const std::string> jobs, bool dry_run) override {
    const std::lock_guard writing(writing_);
    GRADMILL_CHECK(loaded_);
    return translated([&] {
      require_in_place();
      Garbage garbage = collect_locked(jobs, dry_run);
      reserve_.grow();
      return garbage;
    });
  }

 private:
  [[nodiscard]] Error refusal(const std::string& why) const {
    return invalid_input("the state folder " + paths_.root() + " cannot be used: " + why +
                         "; put that right, or give --state-dir another one");
  }
  [[nodiscard]] Error failed(const std::string& why) const {
    return {
        ErrorCode::kFailed, "the state folder" + why, "the state folder " + paths_.root() + why};
  }
  [[nodiscard]] static std::string without_room(const std::string& why) {
    return " has no room (" + why + "): free some space, or delete ended jobs with client gc";
  }
  [[nodiscard]] static std::string without_room(const std::error_code& why) {
    return why == std::errc::file_too_large
               ? " has no room (" + why.message() + "): raise the limit of ulimit -f"
               : without_room(why.message());
  }

  /// Runs `work`; whatever is wrong with the folder becomes an error for people.
  template <class Work>
  auto translated(Work work) -> decltype(work()) {
    try {
      return work();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kFailed) {  // Of this class itself.
        throw;
      }
      throw Error(ErrorCode::kFailed,
                  "the state folder: a file cannot be used",
                  "the state folder " + paths_.root() + ": " + error.log_message());
    } catch (const std::system_error& error) {
      throw failed(is_no_room(error.code()) ? without_room(error.code())
                                            : " cannot be used: " + error.code().message());
    } catch (const DatabaseUnavailable& error) {
      throw failed(std::string(" cannot be used: ") + error.what());
    } catch (const Damage& damage) {
      mark_suspect();
      throw Error(ErrorCode::kFailed,
                  "the state folder is damaged: restart the coordinator, which mends it",
                  "the state folder " + paths_.root() + " is damaged (" + damage.what() +
                      "): restart the coordinator, which mends it");
    }
  }

  /// Throws if what people see under the names of the folder is no longer what is open here.
  void require_in_place() const {
    if (!lock_.is_in_place() || identity_of(paths_.database()) != database_file_) {
      throw failed(" is gone, or was replaced: restart the coordinator");
    }
  }

  void mark_suspect() {
    try {
      files_.write(paths_.suspect(), {});
    } catch (const std::system_error&) {  // The next start reads most of the database anyway.
    }
  }

  /// Runs `work`; where there is no room for it once more, with all of the reserve but `kept`
  /// bytes.
  template <class Work>
  auto relieved(std::uint64_t kept, Work work) -> decltype(work()) {
    try {
      return work();
    } catch (const std::system_error& error) {
      if (!is_no_room(error.code()) || !reserve_.shrink(kept)) {
        throw;
      }
    }
    try {
      return work();
    } catch (...) {
      reserve_.grow();
      throw;
    }
  }

  void commit_with_room(std::span<const Record> records) {
    reserve_.grow();
    if (has<JobRemoved>(records) || has<ModelRemoved>(records)) {
      relieved(0, [&] { commit_locked(records); });
      database_->fold_log();
    } else if (has<JobMoved>(records)) {
      commit_sparingly(records);
    } else {
      commit_locked(records);
    }
    reserve_.grow();
  }

  /// If there is no room for new weights, those that the last ones are kept beside make it.
  void commit_sparingly(std::span<const Record> records) {
    try {
      relieved(RoomReserve::kForDeletions, [&] { commit_locked(records); });
      return;
    } catch (const std::system_error& error) {
      if (!is_no_room(error.code()) || !drop_spare_generations(paths_, files_, records, index_)) {
        throw;
      }
    }
    relieved(RoomReserve::kForDeletions, [&] { commit_locked(records); });
  }

  void commit_locked(std::span<const Record> records) {
    CommitPlan plan(paths_, index_);
    for (const Record& record : records) {
      plan.add(record);
    }
    FileBatch batch(files_);
    plan.gather_files(batch);
    batch.apply();
    for (const auto& [number, round] : plan.generations()) {
      index_.generations[number].insert(round);
    }
    write_rows(plan);
    {
      const std::lock_guard reading(reading_);
      plan.update(index_);
    }
    drop_needless(paths_, files_, plan, index_);
  }

  void write_rows(const CommitPlan& plan) {
    try {
      files_.transact([&] {
        if (!database_) {
          database_ = std::make_unique<Database>(paths_.database());
        }
        database_->transact([&] { plan.write_rows(*database_); });
      });
    } catch (...) {
      database_.reset();  // What state its statements are in is nobody's business to guess.
      throw;
    }
  }

  [[nodiscard]] std::optional<StoreEntry> find(const std::string& job) {
    const std::lock_guard reading(reading_);
    const auto found = index_.jobs.find(job);
    return found == index_.jobs.end() ? std::nullopt : std::optional(found->second);
  }

  template <class Work>
  auto read(Work work) -> decltype(work(std::declval<DatabaseReader&>())) {
    const std::lock_guard reading(reader_mutex_);
    return translated([&] {
      if (!reader_) {
        require_in_place();
        reader_ = std::make_unique<DatabaseReader>(paths_.database());
      }
      return work(*reader_);
    });
  }

  [[nodiscard]] Garbage collect_locked(std::span<const std::string> jobs, bool dry_run) {
    Needed needed = needed_by(index_, dry_run ? jobs : std::span<const std::string>{});
    needed.files = find_moved_databases(paths_);
    for (const std::string& old : before_) {
      needed.files.erase(old);
    }
    Garbage garbage;
    garbage.jobs.assign(jobs.begin(), jobs.end());
    const std::vector<UnneededFile> unneeded = find_unneeded(paths_, needed);
    for (const UnneededFile& file : unneeded) {
      garbage.files.push_back(file.name);
      garbage.bytes += file.bytes;
    }
    if (!dry_run) {
      remove_unneeded(paths_, files_, needed, unneeded);
    }
    return garbage;
  }

  const StatePaths paths_;
  FileSystem& files_;
  const FolderLock lock_;
  std::optional<FileIdentity> database_file_;  // Set by load().

  std::mutex writing_;
  RoomReserve reserve_;
  bool loaded_ = false;
  std::unique_ptr<Database> database_;
  std::set<std::string> before_;  // Databases that an earlier start moved aside.

  std::mutex reading_;
  StoreIndex index_;  // Changed under both locks, but for the generations, which are the writer's.

  std::mutex reader_mutex_;
  std::unique_ptr<DatabaseReader> reader_;
};

}  // namespace

std::unique_ptr<JobStore> open_state_folder(const std::string& path,
                                            const std::string& holder,
                                            FileSystem& files) {
  return std::make_unique<StateFolderStore>(path, holder, files);
}

}  // namespace gradmill::coordinator
