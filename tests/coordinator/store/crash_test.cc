// Every durable step of a commit fails once, and once the process ends there.
//
// Not tested: writes that the disk reorders before an fsync.
#include <set>
#include <string>
#include <vector>

#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"

namespace gradmill::coordinator {
namespace {

using Fault = FaultyFileSystem::Fault;

class StoreCrash : public StateFolder {
 protected:
  /// What is there before, and what is committed.
  const std::vector<Record> before_ = {added("a"),
                                       finished("a", 1),
                                       added("old"),
                                       ended("old"),
                                       predicting("p"),
                                       predicted("p", 0, 8),
                                       predicting("done"),
                                       predicted("done", 0, 30),
                                       ended("done"),
                                       registered("m", 1),
                                       aliased("m", 1),
                                       registered("gone", 1),
                                       aliased("gone", 1),
                                       NodeAdded{{"one", 1}, NodeSource::kJoined}};
  const std::vector<Record> records_ = {logged("a", 1),
                                        predicted("p", 8, 8),
                                        finished("a", 2),
                                        JobRemoved{"old"},
                                        JobRemoved{"done"},
                                        BatchSizeChanged{"p", 4},
                                        predicted("p", 16, 4),
                                        predicted("p", 20, 10),
                                        ended("p"),
                                        finished("a", 3),
                                        added("b", 2),
                                        added("old", 3),
                                        NodeRemoved{{"one", 1}},
                                        moved("b", JobState::kPaused),
                                        ended("a"),
                                        registered("m", 2),
                                        aliased("m", 2),
                                        ModelRemoved{"m", 1},
                                        ModelRemoved{"gone"},
                                        registered("gone", 1),
                                        aliased("gone", 1)};

  /// Descriptions of all prefixes of the records.
  std::set<std::string> prefixes() {
    std::set<std::string> all;
    for (std::size_t length = 0; length <= records_.size(); ++length) {
      std::filesystem::remove_all(path());
      commit(before_);
      commit({records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(length)});
      all.insert(describe(path()));
      last_ = describe(path());
    }
    return all;
  }

  std::string last_;  // All records.
};

TEST_F(StoreCrash, LeavesAPrefixAtEveryStep) {
  const std::set<std::string> allowed = prefixes();
  const std::string copy = beside("copy");
  unsigned step = 1;
  for (bool failed = true; failed; ++step) {
    std::filesystem::remove_all(path());
    commit(before_);
    FaultyFileSystem files;
    const auto store = open_state_folder(path(), "", files);
    static_cast<void>(store->load());
    files.fail(Fault::kCrash, step);
    try {
      store->commit(records_);
    } catch (const Crash&) {
      EXPECT_TRUE(files.failed());
    }
    failed = files.failed();
    copy_folder(path(), copy);
    EXPECT_EQ(allowed.count(describe(copy)), 1U) << "step " << step;
    const auto again = open_state_folder(copy);
    EXPECT_THAT(again->load().notes, testing::IsEmpty()) << "step " << step;
    again->commit(records_);
    const auto ended_at = again->collect({}, true);
    EXPECT_THAT(ended_at.files, testing::IsEmpty()) << "step " << step;
  }
  EXPECT_GT(step, 20U);
}

TEST_F(StoreCrash, CommitsTheSameRecordsAfterAFaultAtAnyStep) {
  static_cast<void>(prefixes());
  unsigned step = 1;
  for (bool failed = true; failed; ++step) {
    std::filesystem::remove_all(path());
    commit(before_);
    const std::string untouched = describe(path());
    FaultyFileSystem files;
    {
      const auto store = open_state_folder(path(), "", files);
      static_cast<void>(store->load());
      files.fail(Fault::kThrow, step);
      const auto error = error_of([&] { store->commit(records_); });
      failed = files.failed();
      if (error) {
        EXPECT_EQ(error->code(), ErrorCode::kFailed);
        EXPECT_THAT(error->what(), testing::HasSubstr("No space left on device"));
      }
      files.fail(Fault::kNone, 0);
      store->commit(records_);
    }
    EXPECT_EQ(describe(path()), last_) << "step " << step;
  }
}

TEST_F(StoreCrash, LoadsAfterACrashAtAnyStepOfLoading) {
  commit(before_);
  const std::string expected = describe(path());
  const std::string copy = beside("copy");
  for (const bool without_rows : {false, true}) {
    bool failed = true;
    for (unsigned step = 1; failed; ++step) {
      copy_folder(path(), copy);
      if (without_rows) {
        put(copy + "/gradmill.db", "no database");
      }
      FaultyFileSystem files;
      files.fail(Fault::kCrash, step);
      try {
        static_cast<void>(open_state_folder(copy, "", files)->load());
      } catch (const Crash&) {
        EXPECT_TRUE(files.failed());
      }
      failed = files.failed();
      const auto store = open_state_folder(copy);
      const StoredState state = store->load();
      EXPECT_EQ(state.jobs.size(), 4U) << "step " << step;
      EXPECT_EQ(state.jobs.at(0).checkpoint.round, 1U);
      EXPECT_EQ(state.jobs.at(2).predicted.size(), 1U);
      EXPECT_EQ(state.jobs.at(3).predicted.size(), 1U);
      if (!without_rows) {
        EXPECT_EQ(describe(state, *store), expected) << "step " << step;
      }
    }
  }
}

TEST_F(StoreCrash, StartsOnAFullDiskByItsReserveAndElseLosesNothing) {
  commit(before_);
  const std::string expected = describe(path());
  for (const bool reserve : {true, false}) {
    bool failed = true;
    for (unsigned step = 1; failed; ++step) {
      put(at("reserve"), reserve ? "something" : "");
      FaultyFileSystem files;
      {
        const auto store = open_state_folder(path(), "", files);
        files.fail(Fault::kThrow, step);
        const auto error = error_of([&] { static_cast<void>(store->load()); });
        EXPECT_FALSE(error && reserve) << "step " << step;
        if (error) {
          EXPECT_EQ(error->code(), ErrorCode::kInvalidInput);
          EXPECT_THAT(error->what(),
                      testing::AllOf(testing::HasSubstr(path()),
                                     testing::HasSubstr("No space left on device"),
                                     testing::HasSubstr("--state-dir")));
        }
      }
      failed = files.failed();
      EXPECT_EQ(describe(path()), expected) << "step " << step;
    }
  }
}

}  // namespace
}  // namespace gradmill::coordinator
