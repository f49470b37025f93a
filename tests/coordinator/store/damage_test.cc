// Any byte flipped and any file cut: what was before is used, and the user is told.
#include <functional>
#include <string>
#include <vector>

#include "coordinator/store/files/sealed_file.h"
#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"

namespace gradmill::coordinator {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreDamage : public StateFolder {
 protected:
  StoreDamage() {
    commit({added("a"), added("b"), logged("a", 1), finished("a", 1)});
    commit({finished("a", 2), finished("b", 1), ended("b")});
    sound_ = describe(path());
  }

  /// Calls `check` with the folder's copy after each damage of the file `name` in it: each byte
  /// flipped and each length, `stride` apart.
  void for_each_damage(const std::string& name,
                       std::size_t stride,
                       const std::function<void(const std::string& what)>& check) {
    const std::string bytes = content(at(name));
    const auto damaged = [&](const std::string& with, const std::string& what) {
      copy_folder(path(), copy_);
      put(copy_ + "/" + name, with);
      check(name + " " + what);
    };
    for (std::size_t i = 0; i < bytes.size(); i += stride) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
      damaged(flipped, "flipped at " + std::to_string(i));
      damaged(bytes.substr(0, i), "cut to " + std::to_string(i));
    }
  }

  const std::string copy_ = beside("copy");
  std::string sound_;
};

TEST_F(StoreDamage, EarlierWeightsAreUsedWhenTheNewestAreDamaged) {
  for_each_damage("jobs/1-a/weights-2", 1, [&](const std::string& what) {
    const auto store = open_state_folder(copy_);
    const StoredState state = store->load();
    ASSERT_EQ(state.jobs.size(), 2U) << what;
    const StoredJob& job = state.jobs[0];
    EXPECT_EQ(job.checkpoint.round, 1U) << what;
    EXPECT_EQ(*job.checkpoint.weights.bytes, *finished("a", 1).checkpoint.weights.bytes) << what;
    EXPECT_EQ(job.rounds.size(), 1U) << what;
    EXPECT_EQ(job.tallies.at("node:1").tasks, 1U) << what;
    EXPECT_THAT(state.notes,
                Contains("job a goes on from round 1 instead of round 2: the weights "
                         "after that are damaged"))
        << what;
  });
}

TEST_F(StoreDamage, RoundsAfterEarlierWeightsAreForgottenForGood) {
  std::filesystem::remove(at("jobs/1-a/weights-2"));
  static_cast<void>(open_state_folder(path())->load());
  commit({finished("a", 2)});
  EXPECT_EQ(describe(path()), sound_);
}

TEST_F(StoreDamage, EarlierWeightsMayBeDamaged) {
  for_each_damage("jobs/1-a/weights-1", 7, [&](const std::string& what) {
    EXPECT_EQ(describe(copy_), sound_) << what;
  });
}

TEST_F(StoreDamage, SpecificationIsMendedFromTheDatabase) {
  for_each_damage("jobs/1-a/job", 5, [&](const std::string& what) {
    EXPECT_THAT(open_state_folder(copy_)->load().notes,
                Contains(HasSubstr("specification of job a was damaged")))
        << what;
    EXPECT_EQ(describe(copy_), sound_) << what;
    EXPECT_THAT(open_state_folder(copy_)->load().notes, IsEmpty()) << what;
  });
}

TEST_F(StoreDamage, EndIsMendedFromTheDatabase) {
  for_each_damage("jobs/2-b/state", 5, [&](const std::string& what) {
    EXPECT_EQ(describe(copy_), sound_) << what;
    EXPECT_EQ(content(copy_ + "/jobs/2-b/state").size(), content(at("jobs/2-b/state")).size());
  });
}

TEST_F(StoreDamage, DamagedShardIsNone) {
  const BlobRef ref = blobs()[0].ref;
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  const std::string file = at("shards/" + ref.digest.hex());
  const std::string bytes = content(file);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    put(file, flipped);
    EXPECT_EQ(store->blob(ref), std::nullopt);
    put(file, bytes.substr(0, i));
    EXPECT_EQ(store->blob(ref), std::nullopt);
  }
  store->commit(std::vector<Record>{added("c")});
  EXPECT_EQ(*store->blob(ref)->bytes, bytes);
}

TEST_F(StoreDamage, DamagedIdentityIsMadeAnew) {
  const std::string coordinator = open_state_folder(path())->load().coordinator;
  for_each_damage("identity", 1, [&](const std::string& what) {
    const StoredState state = open_state_folder(copy_)->load();
    EXPECT_EQ(state.coordinator, coordinator) << what;
    EXPECT_GT(state.epoch, 3U) << what;
    EXPECT_EQ(state.jobs.size(), 2U) << what;
  });
}

TEST_F(StoreDamage, IdentityThatSaysNonsenseIsMadeAnew) {
  const std::string coordinator = open_state_folder(path())->load().coordinator;
  for (const std::string_view text :
       {"{\"coordinator\":7}", "{\"epoch\":\"x\"}", "{\"format\":1e300}", "{\"epoch\":-1}", "[]"}) {
    std::string bytes;
    for (const std::string_view part : seal(FileKind::kIdentity, 9, {&text, 1}).parts) {
      bytes += part;
    }
    put(at("identity"), bytes);
    const StoredState state = open_state_folder(path())->load();
    EXPECT_EQ(state.coordinator, coordinator) << text;
    EXPECT_THAT(state.notes, Contains("the file identity was damaged and is made anew")) << text;
  }
}

TEST_F(StoreDamage, JobWithoutWeightsIsLeftOutAndKept) {
  put(at("jobs/1-a/weights-1"), "");
  put(at("jobs/1-a/weights-2"), "");
  const StoredState state = open_state_folder(path())->load();
  ASSERT_EQ(state.jobs.size(), 1U);
  EXPECT_EQ(state.jobs[0].job, "b");
  EXPECT_THAT(state.notes,
              Contains("job a is left out: all of its weights are damaged; its folder is kept in "
                       "damaged/"));
  EXPECT_TRUE(std::filesystem::exists(at("damaged/1-a/job")));
  commit({added("a")});
  EXPECT_EQ(open_state_folder(path())->load().jobs.size(), 2U);
}

/// What a database made anew from the files must still know.
void expect_rebuilt(const StoredState& state, const std::string& what) {
  ASSERT_EQ(state.jobs.size(), 2U) << what;
  EXPECT_EQ(state.jobs[0].job, "a") << what;
  EXPECT_EQ(state.jobs[0].checkpoint.round, 2U) << what;
  EXPECT_EQ(*state.jobs[0].checkpoint.weights.bytes, *finished("a", 2).checkpoint.weights.bytes);
  EXPECT_EQ(state.jobs[0].tallies.at("node:1").tasks, 2U) << what;
  ASSERT_EQ(state.jobs[0].rounds.size(), 2U) << what;
  EXPECT_EQ(state.jobs[0].rounds[1].round, 2U) << what;
  EXPECT_EQ(state.jobs[1].state, JobState::kSucceeded) << what;
  EXPECT_EQ(state.jobs[1].end.reason, "succeeded") << what;
}

TEST_F(StoreDamage, DamagedDatabaseIsMadeAnewFromTheFiles) {
  unsigned rebuilt = 0;
  unsigned shown_later = 0;
  for_each_damage("gradmill.db", 97, [&](const std::string& what) {
    const std::uint64_t epoch_before = 3;
    const std::vector<Record> records = {finished("a", 3), logged("a", 9)};
    bool is_damaged_elsewhere = false;
    {
      const auto store = open_state_folder(copy_);
      const StoredState state = store->load();
      expect_rebuilt(state, what);
      EXPECT_GT(state.epoch, epoch_before) << what;
      if (std::filesystem::exists(copy_ + "/gradmill.db.damaged-1")) {
        ++rebuilt;
        EXPECT_THAT(state.notes, Contains(HasSubstr("is made anew"))) << what;
        EXPECT_EQ(store->rounds("a", 0, 10).size(), 2U) << what;
      }
      // Nothing else depends on tasks and events: those that are damaged are left out, or show
      // later.
      const auto error = error_of([&] {
        EXPECT_LE(store->events("a", 0, 10).size(), 1U) << what;
        store->commit(records);
      });
      if (error) {
        EXPECT_THAT(error->what(), HasSubstr("restart the coordinator, which mends it")) << what;
        is_damaged_elsewhere = true;
      }
    }
    if (is_damaged_elsewhere) {
      ++shown_later;
      const auto store = open_state_folder(copy_);
      const StoredState state = store->load();
      EXPECT_THAT(state.notes, Contains(HasSubstr("is made anew"))) << what;
      EXPECT_EQ(state.jobs.at(0).checkpoint.round, 2U) << what;
      store->commit(records);
    }
    const auto store = open_state_folder(copy_);
    const StoredState state = store->load();
    EXPECT_THAT(state.notes, AnyOf(IsEmpty(), Contains(HasSubstr("figures")))) << what;
    EXPECT_EQ(state.jobs.at(0).checkpoint.round, 3U) << what;
  });
  EXPECT_GT(rebuilt, 50U);
  EXPECT_GT(shown_later, 0U);
}

TEST_F(StoreDamage, MissingDatabaseIsMadeAnew) {
  std::filesystem::remove(at("gradmill.db"));
  const StoredState state = open_state_folder(path())->load();
  expect_rebuilt(state, "missing");
  EXPECT_THAT(state.notes, Contains(HasSubstr("it is missing")));
}

TEST_F(StoreDamage, LostLogOfTheDatabaseIsNoticed) {
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  for (std::uint32_t round = 3; round <= 6; ++round) {
    store->commit(std::vector<Record>{finished("a", round)});
  }
  store->commit(std::vector<Record>{added("c")});
  copy_folder(path(), copy_);
  ASSERT_TRUE(std::filesystem::remove(copy_ + "/gradmill.db-wal"));
  std::filesystem::remove(copy_ + "/gradmill.db-shm");
  const StoredState state = open_state_folder(copy_)->load();
  ASSERT_EQ(state.jobs.size(), 3U);
  EXPECT_EQ(state.jobs[0].checkpoint.round, 6U);
  EXPECT_THAT(state.notes, Contains(HasSubstr("it is older than the files beside it")));
}

TEST_F(StoreDamage, DamagedLogNeverCrashesNorMixes) {
  {
    const auto store = open_state_folder(path());
    static_cast<void>(store->load());
    store->commit(std::vector<Record>{finished("a", 3)});
    store->commit(std::vector<Record>{finished("a", 4)});
    copy_folder(path(), beside("crashed"));
  }
  copy_folder(beside("crashed"), path());
  for_each_damage("gradmill.db-wal", 211, [&](const std::string& what) {
    const StoredState state = open_state_folder(copy_)->load();
    ASSERT_EQ(state.jobs.size(), 2U) << what;
    EXPECT_GE(state.jobs[0].checkpoint.round, 3U) << what;
  });
}

}  // namespace
}  // namespace gradmill::coordinator
