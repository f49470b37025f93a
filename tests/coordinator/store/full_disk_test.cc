// A disk without room, and a folder that goes away.
#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"
#include "mounts/small_file_system.h"

namespace gradmill::coordinator {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// On a real disk that is full, where this user may mount one; the faults of crash_test.cc are
/// everywhere.
class FullDisk : public StateFolder {
 protected:
  void SetUp() override {
    disk_system_.emplace(disk_, "4m");
    if (!disk_system_->mounted()) {
      GTEST_SKIP() << "mounting is not permitted";
    }
    open();
    store_->commit(std::vector<Record>{added("a"), finished("a", 1), added("old"), ended("old")});
  }
  void TearDown() override {
    store_.reset();
    disk_system_.reset();
  }

  StoredState open() {
    store_.reset();
    store_ = open_state_folder(state_);
    return store_->load();
  }
  void fill() const { disk_system_->fill(); }
  void make_room() const { disk_system_->make_room(); }
  std::optional<Error> commit_error(const std::vector<Record>& records) {
    return error_of([&] { store_->commit(records); });
  }
  /// Finishes rounds of job a after `round` until there is no room; the first that is not stored.
  std::uint32_t finish_rounds(std::uint32_t round) {
    while (!commit_error({finished("a", round)}) && round < 2000) {
      ++round;
    }
    return round;
  }

  const std::string disk_ = beside("disk");
  const std::string state_ = disk_ + "/state";
  std::optional<mounts::SmallFileSystem> disk_system_;
  std::unique_ptr<JobStore> store_;
};

TEST_F(FullDisk, IsToldAndPasses) {
  fill();
  const std::uint32_t lost = finish_rounds(2);
  const auto error = commit_error({finished("a", lost)});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kFailed);
  const std::string why =
      " has no room (No space left on device): free some space, or delete ended jobs with client "
      "gc";
  EXPECT_EQ(std::string(error->what()), "the state folder" + why);
  EXPECT_EQ(error->log_message(), "the state folder " + state_ + why);
  EXPECT_TRUE(error_of([&] { store_->check_room({}); }));
  make_room();
  EXPECT_FALSE(error_of([&] { store_->check_room(std::vector{blobs()[0].ref}); }));
  EXPECT_TRUE(error_of([&] {
    store_->check_room(std::vector{BlobRef{sha256("large"), std::uint64_t{8} << 20U}});
  }));
  EXPECT_FALSE(commit_error({finished("a", lost)}));
  EXPECT_EQ(open().jobs.at(0).checkpoint.round, lost);
}

TEST_F(FullDisk, StillLetsJobsEndAndGo) {
  fill();
  const std::uint32_t lost = finish_rounds(2);
  EXPECT_FALSE(commit_error({finished("a", lost), moved("a", JobState::kPaused)}));
  fill();
  EXPECT_FALSE(commit_error({JobRemoved{"old"}}));
  EXPECT_FALSE(std::filesystem::exists(state_ + "/jobs/2-old"));
  const StoredState state = open();
  ASSERT_EQ(state.jobs.size(), 1U);
  EXPECT_EQ(state.jobs[0].state, JobState::kPaused);
  EXPECT_EQ(state.jobs[0].checkpoint.round, lost);
}

TEST_F(FullDisk, IsNoHindranceToAStartNorToAnother) {
  fill();
  const std::uint32_t lost = finish_rounds(2);
  for (std::uint64_t start = 0; start < 5; ++start) {
    fill();
    const StoredState state = open();
    EXPECT_EQ(state.epoch, start + 2);
    ASSERT_EQ(state.jobs.size(), 2U);
    EXPECT_EQ(state.jobs[0].checkpoint.round, lost - 1);
  }
  fill();
  EXPECT_FALSE(commit_error({JobRemoved{"old"}}));
  make_room();
  EXPECT_FALSE(commit_error({finished("a", lost)}));
}

TEST_F(FullDisk, PredictionsWaitForRoomAndTheirJobMayStillBePausedAndGo) {
  store_->commit(std::vector<Record>{predicting("p"), predicting("q"), ended("q")});
  fill();
  std::uint64_t rows = 0;
  while (!commit_error({predicted("p", rows, 500)}) && rows < 1'000'000) {
    rows += 500;
  }
  EXPECT_GT(std::filesystem::file_size(state_ + "/reserve"), 900U << 10U);
  EXPECT_FALSE(commit_error({predicted("p", rows, 500), moved("p", JobState::kPaused)}));
  fill();
  EXPECT_TRUE(commit_error({predicted("p", rows + 500, 500)}));
  EXPECT_FALSE(commit_error({JobRemoved{"q"}}));
  make_room();
  EXPECT_FALSE(commit_error({predicted("p", rows + 500, 500)}));
  const StoredState state = open();
  EXPECT_THAT(state.notes, testing::IsEmpty());
  const StoredJob& job = state.jobs.at(2);
  EXPECT_EQ(job.state, JobState::kPaused);
  EXPECT_EQ(job.predicted.back().first_row, rows + 500);
}

class StoreInPlace : public StateFolder {};

/// Bounds the files that this process writes, as `ulimit -S -f` does, while it lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{std::min(bytes, before_.rlim_max), before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0);
    static_cast<void>(std::signal(SIGXFSZ, handler_));
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(StoreInPlace, AFileLimitThatTheDatabaseMeetsIsToldAsOne) {
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  store->commit(std::vector<Record>{added("a")});
  const auto log_error = [&](std::uint64_t sequence) {
    return error_of([&] { store->commit(std::vector<Record>{logged("a", sequence)}); });
  };
  {
    const FileLimit limit(4096);
    for (int time = 0; time < 3; ++time) {  // From the second on, the database is opened anew.
      const auto error = log_error(1);
      ASSERT_TRUE(error);
      EXPECT_EQ(std::string(error->what()),
                "the state folder has no room (File too large): raise the limit of ulimit -f");
    }
  }
  EXPECT_FALSE(log_error(1));
  EXPECT_EQ(store->events("a", 0, 10).size(), 1U);
}

TEST_F(StoreInPlace, ItsLogStaysSmall) {
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  store->commit(std::vector<Record>{added("a")});
  std::uint64_t largest = 0;
  for (std::uint32_t round = 1; round <= 600; ++round) {
    store->commit(std::vector<Record>{finished("a", round)});
    largest = std::max<std::uint64_t>(largest, std::filesystem::file_size(at("gradmill.db-wal")));
  }
  EXPECT_LT(largest, 3U << 19U);
  store->commit(std::vector<Record>{ended("a")});
  store->commit(std::vector<Record>{JobRemoved{"a"}});
  EXPECT_EQ(std::filesystem::file_size(at("gradmill.db-wal")), 0U);
}

TEST_F(StoreInPlace, AFolderThatIsGoneIsNoticedUntilItIsBack) {
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  store->commit(std::vector<Record>{added("a")});
  std::filesystem::rename(path(), beside("moved"));
  const auto error = error_of([&] { store->commit(std::vector<Record>{finished("a", 1)}); });
  ASSERT_TRUE(error);
  EXPECT_STREQ(error->what(), "the state folder is gone, or was replaced: restart the coordinator");
  EXPECT_TRUE(error_of([&] { static_cast<void>(store->rounds("a", 0, 1)); }) ||
              store->rounds("a", 0, 1).empty());
  EXPECT_FALSE(std::filesystem::exists(path()));
  std::filesystem::rename(beside("moved"), path());
  store->commit(std::vector<Record>{finished("a", 1)});
}

TEST_F(StoreInPlace, ADatabaseThatIsGoneIsNoticedAndNotMadeAnew) {
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  store->commit(std::vector<Record>{added("a")});
  std::filesystem::remove(at("gradmill.db"));
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto error = error_of([&] { store->commit(std::vector<Record>{finished("a", 1)}); });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), HasSubstr("restart the coordinator"));
    EXPECT_TRUE(error_of([&] { static_cast<void>(store->events("a", 0, 1)); }));
    EXPECT_THAT(names_in(path()), Not(Contains("gradmill.db")));
  }
}

}  // namespace
}  // namespace gradmill::coordinator
