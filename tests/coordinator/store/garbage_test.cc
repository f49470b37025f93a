// Files that nothing stored needs go, and no others.
#include <string>
#include <vector>

#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"

namespace gradmill::coordinator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreGarbage : public StateFolder {};

TEST_F(StoreGarbage, NothingOfStoredJobsIsGarbage) {
  commit({added("a"), finished("a", 1), ended("a"), added("b")});
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  const Garbage garbage = store->collect({}, false);
  EXPECT_THAT(garbage.files, IsEmpty());
  EXPECT_EQ(garbage.bytes, 0U);
}

TEST_F(StoreGarbage, DryRunNamesWhatRemovingJobsWouldFree) {
  commit({added("a"), ended("a")});
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  const std::vector<std::string> jobs = {"a"};
  const Garbage garbage = store->collect(jobs, true);
  EXPECT_THAT(garbage.jobs, ElementsAre("a"));
  EXPECT_EQ(garbage.files.size(), 3U + 4U);
  EXPECT_GT(garbage.bytes, 100U);
  EXPECT_EQ(names_in(at("shards")).size(), 4U);
  EXPECT_EQ(names_in(job_folder("a")).size(), 3U);
}

TEST_F(StoreGarbage, ShardsOfRemovedJobsGoOnceNoOtherJobHasThem) {
  commit({added("a"), ended("a"), added("b"), ended("b")});
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  store->commit(std::vector<Record>{JobRemoved{"a"}});
  EXPECT_THAT(store->collect({}, false).files, IsEmpty());
  store->commit(std::vector<Record>{JobRemoved{"b"}});
  EXPECT_EQ(store->collect({}, false).files.size(), 4U);
  EXPECT_THAT(names_in(at("shards")), IsEmpty());
  EXPECT_THAT(names_in(at("jobs")), IsEmpty());
}

TEST_F(StoreGarbage, LeftoversGo) {
  commit({added("a")});
  put(at("shards/abc.new"), "x");
  put(at("identity.new"), "xx");
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  put(job_folder("a") + "/weights-1.new", "xxx");
  const Garbage garbage = store->collect({}, false);
  EXPECT_THAT(garbage.files, ElementsAre("jobs/1-a/weights-1.new", "shards/abc.new"));
  EXPECT_EQ(garbage.bytes, 4U);
  EXPECT_THAT(names_in(job_folder("a")), ElementsAre("job", "weights-0"));
}

TEST_F(StoreGarbage, DamagedDatabasesGoAtTheStartAfterTheNext) {
  commit({added("a")});
  put(at("gradmill.db"), "no database");
  {
    const auto store = open_state_folder(path());
    EXPECT_EQ(store->load().notes.size(), 1U);
    EXPECT_THAT(store->collect({}, false).files, IsEmpty());
  }
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  EXPECT_THAT(store->collect({}, false).files, ElementsAre("gradmill.db.damaged-1"));
}

}  // namespace
}  // namespace gradmill::coordinator
