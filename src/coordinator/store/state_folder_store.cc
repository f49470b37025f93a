#include "coordinator/store/state_folder_store.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "coordinator/store/commit_plan.h"
#include "coordinator/store/database.h"
#include "coordinator/store/file_batch.h"
#include "coordinator/store/folder_lock.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/sqlite_session.h"
#include "coordinator/store/state_garbage.h"
#include "coordinator/store/state_loader.h"

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kGenerations = 2;

/// The store. `writing_` is held for a whole commit; `reading_` guards the index and the reader,
/// and is held for moments.
class StateFolderStore final : public JobStore {
 public:
  StateFolderStore(const std::string& path, const std::string& holder, FileSystem& files)
      : paths_(path), files_(files), lock_(path, holder) {}

  [[nodiscard]] StoredState load() override {
    const std::lock_guard writing(writing_);
    try {
      before_ = find_moved_databases(paths_);
      LoadedState loaded = StateLoader(paths_, files_).load();
      const std::lock_guard reading(reading_);
      index_ = std::move(loaded.index);
      database_ = std::move(loaded.database);
      loaded_ = true;
      return std::move(loaded.state);
    } catch (const std::system_error& error) {
      throw refusal(error.code().message());
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
      translated([&] { commit_locked(records); });
    }
  }

  [[nodiscard]] std::optional<Blob> blob(const BlobRef& ref) override {
    auto bytes = read_if_there(paths_.shard(ref.digest), ref.bytes);
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
    const auto generation =
        read_generation(paths_.job_folder(*entry->definition), *entry->definition, progress.round);
    if (!generation) {
      return std::nullopt;
    }
    const Blob& found = generation->value.checkpoint.result();
    return found.ref == ref && sha256(*found.bytes) == ref.digest ? std::optional(found)
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
    return translated([&] { return collect_locked(jobs, dry_run); });
  }

 private:
  [[nodiscard]] Error refusal(const std::string& why) const {
    return invalid_input("the state folder " + paths_.root() + " cannot be used: " + why +
                         "; put that right, or give --state-dir another one");
  }
  [[nodiscard]] Error unavailable(const std::string& why) const {
    return {ErrorCode::kUnavailable, "the state folder " + paths_.root() + ": " + why};
  }

  /// Runs `work`; whatever is wrong with the folder becomes an error for people.
  template <class Work>
  auto translated(Work work) -> decltype(work()) {
    try {
      return work();
    } catch (const std::system_error& error) {
      throw unavailable(error.code().message());
    } catch (const DatabaseUnavailable& error) {
      throw unavailable(error.what());
    } catch (const Damage& damage) {
      throw unavailable(damage.what());
    }
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
    tidy(plan);
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

  /// Removes what the commit has made needless. A file that cannot be removed is garbage for later.
  void tidy(const CommitPlan& plan) {
    try {
      for (const auto& [number, round] : plan.generations()) {
        drop_generations(number);
      }
      for (const Definition& definition : plan.removed()) {
        drop_folder(paths_.job_folder(definition));
      }
    } catch (const std::system_error&) {
      static_cast<void>(plan);
    }
  }

  void drop_generations(std::uint64_t number) {
    const auto job = std::find_if(index_.jobs.begin(), index_.jobs.end(), [&](const auto& entry) {
      return entry.second.definition->number == number;
    });
    auto& rounds = index_.generations[number];
    while (rounds.size() > kGenerations) {
      files_.remove(weights_path(paths_.job_folder(*job->second.definition), *rounds.begin()));
      rounds.erase(rounds.begin());
    }
  }

  void drop_folder(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      names.push_back(entry.path());
    }
    for (const std::string& name : names) {
      files_.remove(name);
    }
    files_.remove(folder);
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
        reader_ = std::make_unique<DatabaseReader>(paths_.database());
      }
      return work(*reader_);
    });
  }

  [[nodiscard]] Garbage collect_locked(std::span<const std::string> jobs, bool dry_run) {
    Needed needed;
    needed.files = find_moved_databases(paths_);
    for (const std::string& old : before_) {
      needed.files.erase(old);
    }
    for (const auto& [job, entry] : index_.jobs) {
      if (dry_run && std::find(jobs.begin(), jobs.end(), job) != jobs.end()) {
        continue;
      }
      needed.jobs.insert(entry.definition->number);
      for (const BlobRef& ref : entry.definition->specification->blobs()) {
        needed.shards.insert(ref.digest);
      }
    }
    Garbage garbage;
    garbage.jobs.assign(jobs.begin(), jobs.end());
    for (const UnneededFile& file : find_unneeded(paths_, needed)) {
      if (!dry_run) {
        files_.remove(paths_.at(file.name));
      }
      garbage.files.push_back(file.name);
      garbage.bytes += file.bytes;
    }
    if (!dry_run) {
      for (const FoundJob& found : find_jobs(paths_)) {
        if (needed.jobs.count(found.number) == 0) {
          files_.remove(found.path);
        }
      }
    }
    return garbage;
  }

  const StatePaths paths_;
  FileSystem& files_;
  const FolderLock lock_;

  std::mutex writing_;
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
