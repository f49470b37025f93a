// Models outlive their jobs, damage of the rows, and folders of programs that knew none.
#include <string>
#include <vector>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "coordinator/store/model_files.h"
#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"

namespace gradmill::coordinator {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreModels : public StateFolder {
 protected:
  StoreModels() {
    commit({added("a"), registered("letters", 1), aliased("letters", 1), ended("a")});
    commit({registered("letters", 2), registered("\xC3\xA4", 1), aliased("\xC3\xA4", 1)});
    sound_ = describe(path());
  }
  std::string sound_;
};

TEST_F(StoreModels, KeepsEveryField) {
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  ASSERT_EQ(state.models.size(), 3U);
  EXPECT_EQ(state.models[0], registered("letters", 1).version);
  EXPECT_EQ(state.models[1], registered("letters", 2).version);
  ASSERT_EQ(state.aliases.size(), 2U);
  EXPECT_EQ(state.aliases[0].history, aliased("letters", 1).history);
  EXPECT_EQ(*store->model(state.models[1])->bytes, "file 2 of letters");
}

TEST_F(StoreModels, KeepsTheNameOfAJobsModel) {
  JobAdded job = added("b");
  job.model = "letters";
  commit({job});
  const StoredState state = open_state_folder(path())->load();
  EXPECT_EQ(state.jobs[0].model, "");
  EXPECT_EQ(state.jobs[1].model, "letters");
}

TEST_F(StoreModels, OutliveTheirJobAndItsGarbage) {
  commit({JobRemoved{"a"}});
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  static_cast<void>(store->collect({}, false));
  ASSERT_EQ(state.models.size(), 3U);
  EXPECT_TRUE(store->model(state.models[0]));
}

TEST_F(StoreModels, LeftoversAreGarbage) {
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  put(at("models/99.new"), "x");
  put(at("models/98"), "xx");
  EXPECT_THAT(store->collect({}, true).files, ElementsAre("models/98", "models/99.new"));
  EXPECT_EQ(store->collect({}, false).bytes, 3U);
  EXPECT_THAT(store->collect({}, true).files, IsEmpty());
}

TEST_F(StoreModels, AreMadeAnewFromTheirFiles) {
  put(at("gradmill.db"), "no database");
  {
    const auto store = open_state_folder(path());
    const StoredState state = store->load();
    EXPECT_EQ(state.models.size(), 3U);
    EXPECT_EQ(state.aliases.size(), 2U);
    store->commit(std::vector<Record>{registered("letters", 3)});
  }
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  EXPECT_THAT(state.notes, IsEmpty());
  ASSERT_EQ(state.models.size(), 4U);
  EXPECT_EQ(*store->model(state.models[3])->bytes, "file 3 of letters");
}

TEST_F(StoreModels, RowsAloneMakeTheAliasesAnew) {
  std::filesystem::remove(at("models/" + aliases_name("letters")));
  EXPECT_EQ(describe(path()), sound_);
  put(at("gradmill.db"), "no database");
  EXPECT_EQ(open_state_folder(path())->load().aliases[0].history, aliased("letters", 1).history);
}

TEST_F(StoreModels, ADamagedFileIsNeverGivenOut) {
  const std::string bytes = content(at("models/2"));
  for (std::size_t i = 0; i < bytes.size(); i += 7) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    put(at("models/2"), damaged);
    const auto store = open_state_folder(path());
    const StoredState state = store->load();
    ASSERT_EQ(state.models.size(), 3U);
    EXPECT_FALSE(store->model(state.models[0])) << i;
  }
}

TEST_F(StoreModels, AMissingFileLeavesItsVersionOut) {
  std::filesystem::remove(at("models/2"));
  const StoredState state = open_state_folder(path())->load();
  EXPECT_EQ(state.models.size(), 2U);
  EXPECT_THAT(state.notes,
              ElementsAre("version 1 of the model letters is left out: its file is missing"));
  EXPECT_THAT(open_state_folder(path())->load().notes, IsEmpty());
}

TEST_F(StoreModels, WithoutRowsADamagedFileIsKeptAside) {
  put(at("gradmill.db"), "no database");
  put(at("models/2"), "x");
  const StoredState state = open_state_folder(path())->load();
  EXPECT_EQ(state.models.size(), 2U);
  EXPECT_THAT(state.notes, Contains(HasSubstr("the model in models/2 is left out")));
  EXPECT_THAT(names_in(at("damaged")), ElementsAre("model-2"));
}

TEST_F(StoreModels, FoldersWithoutTheirTablesOpen) {
  {
    soci::session session(soci::sqlite3, at("gradmill.db"));
    session << "DROP TABLE models";
    session << "DROP TABLE aliases";
  }
  std::filesystem::remove_all(at("models"));
  {
    const auto store = open_state_folder(path());
    const StoredState state = store->load();
    EXPECT_THAT(state.notes, IsEmpty());
    EXPECT_THAT(state.models, IsEmpty());
    EXPECT_EQ(state.jobs.size(), 1U);
    store->commit(std::vector<Record>{registered("letters", 1), aliased("letters", 1)});
  }
  EXPECT_EQ(open_state_folder(path())->load().models.size(), 1U);
}

TEST_F(StoreModels, NumbersOfJobsAndModelsAreNeverUsedTwice) {
  commit({added("b"), registered("letters", 3)});
  EXPECT_THAT(names_in(at("jobs")), ElementsAre("1-a", "5-b"));
  EXPECT_THAT(names_in(at("models")), Contains("6"));
}

}  // namespace
}  // namespace gradmill::coordinator
