// Prediction jobs: their plans, the ranges that were predicted, and what damage leaves of them.
#include <functional>
#include <string>
#include <vector>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "coordinator/store/predicted_files.h"
#include "coordinator/store/rows/database.h"
#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"
#include "coordinator/store/texts/prediction_texts.h"
#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StorePredictions : public StateFolder {
 protected:
  StorePredictions() {
    commit({predicting("a"), predicting("b"), predicted("a", 0, 8), predicted("b", 0, 10)});
    commit({predicted("a", 8, 8), predicted("b", 10, 10), BatchSizeChanged{"a", 4}});
    commit({predicted("a", 16, 4), predicted("b", 20, 10), ended("b")});
    sound_ = describe(path());
  }

  [[nodiscard]] StoredState load() const { return open_state_folder(path())->load(); }
  /// The first rows of the job's ranges.
  static std::vector<std::uint64_t> first_rows(const StoredJob& job) {
    std::vector<std::uint64_t> rows;
    for (const PredictedRange& range : job.predicted) {
      rows.push_back(range.first_row);
    }
    return rows;
  }
  /// Calls `check` after each damage of the file: each byte flipped and each length, `stride`
  /// apart.
  void for_each_damage(const std::string& name,
                       std::size_t stride,
                       const std::function<void(const std::string& copy)>& check) {
    const std::string bytes = content(at(name));
    const std::string copy = beside("copy");
    for (std::size_t i = 0; i < bytes.size(); i += stride) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
      for (const std::string& damaged : {flipped, bytes.substr(0, i)}) {
        SCOPED_TRACE(name + " at " + std::to_string(i));
        copy_folder(path(), copy);
        put(copy + "/" + name, damaged);
        check(copy);
      }
    }
  }
  void lose_database() const { put(at("gradmill.db"), "no database"); }
  void run_sql(const std::string& statement) const {
    soci::session session(soci::sqlite3, at("gradmill.db"));
    session << statement;
  }
  [[nodiscard]] long long rows_of_ranges() const {
    long long rows = -1;
    soci::session session(soci::sqlite3, at("gradmill.db"));
    session << "SELECT COUNT(*) FROM predicted", soci::into(rows);
    return rows;
  }

  std::string sound_;
};

TEST_F(StorePredictions, KeepEveryFieldOfThePlan) {
  const StoredState state = load();
  const JobAdded expected = predicting("a");
  const StoredJob& job = state.jobs.at(0);
  ASSERT_TRUE(job.specification->prediction);
  const PredictionPlan& plan = *job.specification->prediction;
  EXPECT_EQ(plan.model.model, "letters");
  EXPECT_EQ(plan.model.version, 3U);
  EXPECT_EQ(plan.model.file, expected.weights.ref);
  EXPECT_EQ(plan.model.features, 2U);
  EXPECT_EQ(plan.model.labels, expected.specification->prediction->model.labels);
  EXPECT_EQ(plan.batch_rows, 8U);
  EXPECT_TRUE(plan.labelled);
  EXPECT_EQ(job.specification->rounds, 0U);
  EXPECT_EQ(job.specification->blobs(), expected.specification->blobs());
  EXPECT_THAT(job.shard_rows, ElementsAre(10, 20));
}

TEST_F(StorePredictions, KeepRangesWithoutTheirBytesAndTheModelFile) {
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  EXPECT_THAT(state.notes, IsEmpty());
  const StoredJob& job = state.jobs.at(0);
  EXPECT_THAT(first_rows(job), ElementsAre(0, 8, 16));
  EXPECT_EQ(job.predicted[1].rows, 8U);
  EXPECT_EQ(job.predicted[1].wrong, 1U);
  EXPECT_EQ(job.predicted[1].predictions.ref, predicted("a", 8, 8).range.predictions.ref);
  EXPECT_EQ(job.batch_rows, 4U);
  EXPECT_EQ(job.tallies.at("node:1").tasks, 20U);
  EXPECT_EQ(*job.checkpoint.weights.bytes, "file 3 of letters");
  EXPECT_EQ(job.checkpoint.round, 0U);
  EXPECT_EQ(*store->predictions("a", 8)->bytes, std::string(48, 'i'));
  EXPECT_EQ(store->predictions("a", 9), std::nullopt);
  EXPECT_EQ(store->predictions("a", 20), std::nullopt);
  EXPECT_EQ(store->predictions("c", 0), std::nullopt);
  EXPECT_THAT(
      names_in(job_folder("a")),
      ElementsAre("job", "predictions-0", "predictions-16", "predictions-8", "state", "weights-0"));
}

TEST_F(StorePredictions, AreReadOfEndedJobs) {
  const auto store = open_state_folder(path());
  const StoredState state = store->load();
  const StoredJob& job = state.jobs.at(1);
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_THAT(first_rows(job), ElementsAre(0, 10, 20));
  EXPECT_EQ(job.checkpoint.weights.bytes, nullptr);
  EXPECT_EQ(*store->predictions("b", 20)->bytes, *predicted("b", 20, 10).range.predictions.bytes);
  EXPECT_EQ(*store->weights("b")->bytes, "file 3 of letters");
}

TEST_F(StorePredictions, MayComeAgain) {
  commit({predicting("a"), predicted("a", 0, 8), predicted("a", 8, 8)});
  commit({BatchSizeChanged{"a", 4}, predicted("none", 0, 1), BatchSizeChanged{"none", 1}});
  EXPECT_EQ(describe(path()), sound_);
}

TEST_F(StorePredictions, OfARangeThatDoesNotFollowAreLeftOut) {
  commit({predicted("a", 24, 4), predicted("a", 18, 10)});
  EXPECT_THAT(load().notes, IsEmpty());
  EXPECT_EQ(describe(path()), sound_);
}

TEST_F(StorePredictions, GoWithTheirJob) {
  commit({JobRemoved{"a"}, JobRemoved{"b"}});
  EXPECT_THAT(names_in(at("jobs")), IsEmpty());
  EXPECT_EQ(rows_of_ranges(), 0);
}

TEST_F(StorePredictions, AreNoGarbageButOfJobsThatGo) {
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  EXPECT_THAT(store->collect({}, true).files, IsEmpty());
  EXPECT_THAT(store->collect(std::vector<std::string>{"b"}, true).files,
              ElementsAre("jobs/2-b/job",
                          "jobs/2-b/predictions-0",
                          "jobs/2-b/predictions-10",
                          "jobs/2-b/predictions-20",
                          "jobs/2-b/state",
                          "jobs/2-b/weights-0"));
  EXPECT_THAT(store->collect({}, false).files, IsEmpty());
  EXPECT_TRUE(store->predictions("b", 0));
}

TEST_F(StorePredictions, FoldersWithoutTheirTableOpen) {
  commit({JobRemoved{"a"}, JobRemoved{"b"}, added("t")});
  run_sql("DROP TABLE predicted");
  EXPECT_THAT(load().notes, IsEmpty());
  commit({predicting("a"), predicted("a", 0, 8)});
  EXPECT_THAT(first_rows(load().jobs.at(1)), ElementsAre(0));
}

TEST_F(StorePredictions, BeforeDamagedOnesStayAndTheRestIsPredictedAgain) {
  for_each_damage("jobs/1-a/predictions-8", 3, [&](const std::string& copy) {
    const auto store = open_state_folder(copy);
    const StoredState state = store->load();
    ASSERT_EQ(state.jobs.size(), 2U);
    const StoredJob& job = state.jobs[0];
    EXPECT_THAT(first_rows(job), ElementsAre(0));
    EXPECT_EQ(job.tallies.at("node:1").tasks, 8U);
    EXPECT_EQ(job.batch_rows, 4U);
    EXPECT_THAT(state.notes,
                ElementsAre("job a goes on from row 8 instead of row 20: the predictions after "
                            "that are damaged"));
    EXPECT_THAT(names_in(copy + "/jobs/1-a"),
                ElementsAre("job", "predictions-0", "state", "weights-0"));
    EXPECT_EQ(store->predictions("a", 8), std::nullopt);
    store->commit(std::vector<Record>{predicted("a", 8, 8), predicted("a", 16, 4)});
  });
  EXPECT_EQ(describe(beside("copy")), sound_);
}

TEST_F(StorePredictions, ThatAreMissingArePredictedAgain) {
  std::filesystem::remove(at("jobs/1-a/predictions-0"));
  const StoredState state = load();
  EXPECT_THAT(state.jobs.at(0).predicted, IsEmpty());
  EXPECT_THAT(state.jobs.at(0).tallies, IsEmpty());
  EXPECT_THAT(state.notes,
              ElementsAre(HasSubstr("job a goes on from its start instead of row 20")));
  EXPECT_EQ(rows_of_ranges(), 3);
  commit({predicted("a", 0, 12), predicted("a", 12, 8)});
  EXPECT_THAT(first_rows(load().jobs.at(0)), ElementsAre(0, 12));
}

TEST_F(StorePredictions, OfAnotherJobAreDamaged) {
  std::filesystem::copy_file(at("jobs/2-b/predictions-0"),
                             at("jobs/1-a/predictions-0"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(load().jobs.at(0).predicted, IsEmpty());
}

TEST_F(StorePredictions, OfAnEndedJobThatAreMissingOrCutAreTold) {
  const std::string file = at("jobs/2-b/predictions-10");
  const auto expect_told = [&](const std::string& what) {
    SCOPED_TRACE(what);
    const auto store = open_state_folder(path());
    const StoredState state = store->load();
    EXPECT_THAT(state.notes,
                ElementsAre("the predictions of 10 rows of job b are damaged or missing and cannot "
                            "be fetched"));
    EXPECT_THAT(first_rows(state.jobs.at(1)), ElementsAre(0, 10, 20));
    EXPECT_TRUE(store->predictions("b", 0));
    EXPECT_EQ(store->predictions("b", 10), std::nullopt);
    EXPECT_TRUE(store->predictions("b", 20));
  };
  for (const std::uintmax_t bytes : {20, 0}) {
    std::filesystem::resize_file(file, bytes);
    expect_told("cut to " + std::to_string(bytes));
  }
  std::filesystem::remove(file);
  expect_told("missing");
}

TEST_F(StorePredictions, OfAnEndedJobThatAreDamagedAreNeverGivenOut) {
  for_each_damage("jobs/2-b/predictions-10", 7, [&](const std::string& copy) {
    const auto store = open_state_folder(copy);
    EXPECT_THAT(first_rows(store->load().jobs.at(1)), ElementsAre(0, 10, 20));
    EXPECT_TRUE(store->predictions("b", 0));
    EXPECT_EQ(store->predictions("b", 10), std::nullopt);
    EXPECT_TRUE(store->predictions("b", 20));
  });
}

TEST_F(StorePredictions, RowsThatAreDamagedAreMendedFromTheFiles) {
  run_sql("UPDATE predicted SET content = '[16,4,0,\"\",24]' WHERE first_row = 16");
  run_sql("DELETE FROM predicted WHERE first_row = 10");
  EXPECT_EQ(describe(path()), sound_);
  EXPECT_EQ(rows_of_ranges(), 6);
  for (const char* const name : {"jobs/1-a/predictions-16", "jobs/2-b/predictions-10"}) {
    std::filesystem::remove(at(name));
  }
  const StoredState state = load();
  EXPECT_EQ(state.jobs.at(0).predicted.size(), 2U);
  EXPECT_EQ(state.jobs.at(1).predicted.at(1).predictions.ref,
            predicted("b", 10, 10).range.predictions.ref);
}

TEST_F(StorePredictions, OfAnEndedJobAreLostWithTheirRowAndFile) {
  run_sql("DELETE FROM predicted WHERE first_row = 10");
  std::filesystem::remove(at("jobs/2-b/predictions-10"));
  const StoredState state = load();
  EXPECT_THAT(first_rows(state.jobs.at(1)), ElementsAre(0, 10, 20));
  EXPECT_EQ(state.jobs[1].predicted[1].rows, 10U);
  EXPECT_THAT(state.notes, ElementsAre(HasSubstr("the predictions of 10 rows of job b")));
  EXPECT_EQ(load().notes, state.notes);
}

TEST_F(StorePredictions, OtherThanTheirRowSaysAreDamaged) {
  {
    Database database(at("gradmill.db"));
    PredictedRange other = predicted("a", 8, 8).range;
    other.predictions = make_blob(std::string(48, 'x'));
    database.transact([&] { database.put_predicted(1, other); });
  }
  EXPECT_THAT(first_rows(load().jobs.at(0)), ElementsAre(0));
}

TEST_F(StorePredictions, OfAnotherNameAreNeverGivenOut) {
  PredictedAt forged{predicted("b", 10, 10).range, {}};
  forged.progress.predicted = 20;
  forged.range.predictions.ref.digest = sha256("x");
  std::string bytes;
  for (const std::string_view part : predictions_file(1, 2, forged).parts) {
    bytes += part;
  }
  put(at("jobs/2-b/predictions-10"), bytes);
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  EXPECT_EQ(store->predictions("b", 10), std::nullopt);
}

TEST_F(StorePredictions, OutliveAnyDamageOfTheDatabase) {
  unsigned rebuilt = 0;
  for_each_damage("gradmill.db", 89, [&](const std::string& copy) {
    {
      const auto store = open_state_folder(copy);
      const StoredState state = store->load();
      ASSERT_EQ(state.jobs.size(), 2U);
      EXPECT_THAT(first_rows(state.jobs[0]), ElementsAre(0, 8, 16));
      EXPECT_THAT(first_rows(state.jobs[1]), ElementsAre(0, 10, 20));
      EXPECT_EQ(state.jobs[0].batch_rows, 4U);
      rebuilt += state.notes.empty() ? 0 : 1;
      EXPECT_TRUE(store->predictions("b", 10));
      // Damage that shows only now is mended by the next start.
      static_cast<void>(
          error_of([&] { store->commit(std::vector<Record>{predicted("a", 20, 5)}); }));
    }
    const StoredState state = open_state_folder(copy)->load();
    EXPECT_GE(state.jobs.at(0).predicted.size(), 3U);
    EXPECT_EQ(state.jobs.at(1).predicted.size(), 3U);
  });
  EXPECT_GT(rebuilt, 50U);
}

TEST_F(StorePredictions, AreFoundAgainWithoutTheDatabase) {
  lose_database();
  EXPECT_EQ(describe(path()), sound_);
  EXPECT_THAT(load().notes, IsEmpty());
  EXPECT_EQ(describe(path()), sound_);
}

TEST_F(StorePredictions, AreFoundAgainWithoutAnyOfThem) {
  commit({predicting("c"), BatchSizeChanged{"c", 2}, BatchSizeChanged{"a", 6}});
  lose_database();
  const StoredState state = load();
  EXPECT_EQ(state.jobs.at(0).batch_rows, 6U);
  EXPECT_THAT(state.jobs.at(2).predicted, IsEmpty());
  EXPECT_EQ(state.jobs.at(2).batch_rows, 2U);
}

TEST_F(StorePredictions, WithoutTheDatabaseDamagedOnesAreToldOnce) {
  put(at("jobs/1-a/predictions-8"), "x");
  put(at("jobs/2-b/predictions-10"), "x");
  lose_database();
  const StoredState state = load();
  EXPECT_THAT(first_rows(state.jobs.at(0)), ElementsAre(0));
  EXPECT_THAT(first_rows(state.jobs.at(1)), ElementsAre(0, 10, 20));
  EXPECT_THAT(state.notes, Contains("job a goes on from row 8: its later predictions are damaged"));
  EXPECT_THAT(state.notes, Contains(HasSubstr("the predictions of 10 rows of job b")));
  const auto store = open_state_folder(path());
  const StoredState again = store->load();
  EXPECT_THAT(again.notes, ElementsAre(HasSubstr("the predictions of 10 rows of job b")));
  EXPECT_EQ(store->predictions("b", 10), std::nullopt);
  EXPECT_TRUE(store->predictions("b", 20));
}

TEST_F(StorePredictions, ThatOnlyTheFilesKnowAreWhatACrashLeft) {
  const std::string copy = beside("copy");
  copy_folder(path(), copy);
  {
    const auto store = open_state_folder(copy);
    static_cast<void>(store->load());
    const std::string rows = content(copy + "/gradmill.db");
    store->commit(std::vector<Record>{predicted("a", 20, 10)});
    copy_folder(copy, path());
    put(at("gradmill.db"), rows);
    std::filesystem::remove(at("gradmill.db-wal"));
    std::filesystem::remove(at("gradmill.db-shm"));
  }
  EXPECT_EQ(describe(path()), sound_);
  EXPECT_FALSE(std::filesystem::exists(at("jobs/1-a/predictions-20")));
}

TEST_F(StorePredictions, LostLogOfTheDatabaseIsNoticed) {
  const std::string copy = beside("copy");
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  for (const std::uint64_t row : {20, 23, 26}) {
    store->commit(std::vector<Record>{predicted("a", row, 3)});
  }
  copy_folder(path(), copy);
  ASSERT_TRUE(std::filesystem::remove(copy + "/gradmill.db-wal"));
  std::filesystem::remove(copy + "/gradmill.db-shm");
  const StoredState state = open_state_folder(copy)->load();
  EXPECT_THAT(state.notes, ElementsAre(HasSubstr("it is older than the files beside it")));
  EXPECT_THAT(first_rows(state.jobs.at(0)), ElementsAre(0, 8, 16, 20, 23, 26));
  EXPECT_EQ(state.jobs.at(0).tallies.at("node:1").tasks, 29U);
}

TEST_F(StorePredictions, WithoutItsModelFileAJobIsLeftOut) {
  put(at("jobs/1-a/weights-0"), "x");
  put(at("jobs/2-b/weights-0"), "x");
  const StoredState state = load();
  ASSERT_EQ(state.jobs.size(), 1U);
  EXPECT_EQ(state.jobs[0].job, "b");
  EXPECT_THAT(state.notes,
              ElementsAre("job a is left out: its model file is damaged; its folder is kept in "
                          "damaged/"));
}

TEST_F(StorePredictions, PlansAreReadStrictly) {
  const JobAdded record = predicting("a");
  const std::string text =
      text_of(Definition{1, record.job, record.specification, record.shard_rows, 5, record.share});
  EXPECT_EQ(text_of(definition_of(text)), text);
  const auto expect_damage = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    const std::size_t at = changed.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << text;
    changed.replace(at, from.size(), to);
    EXPECT_THROW(static_cast<void>(definition_of(changed)), Damage) << to;
  };
  for (const char* const rows : {"0", "-1", "1000001", "1.5", "\"8\"", "null"}) {
    expect_damage("\"batch_rows\":8", "\"batch_rows\":" + std::string(rows));
  }
  expect_damage("\"features\":2", "\"features\":0");
  expect_damage("\"features\":2", "\"features\":65537");
  expect_damage("\"version\":3", "\"version\":0");
  expect_damage("\"labelled\":true", "\"labelled\":1");
  expect_damage("\"zero\"", "0");
  expect_damage("\"letters\"", "\"a/b\"");
  expect_damage(",17]", ",0]");
  expect_damage("[10,20]", "[10]");
  expect_damage("\"prediction\"", "\"predictions\"");
}

TEST_F(StorePredictions, RangesAreReadStrictly) {
  const std::string ref = "[\"" + sha256("x").hex() + "\",12]";
  EXPECT_EQ(end_of(range_of("[5,2,1," + ref + "]")), 7U);
  for (const char* const numbers :
       {"5,0,0", "5,3,1", "5,2,3", "-1,2,1", "9223372036854775806,2,1", "1.5,2,1"}) {
    EXPECT_THROW(static_cast<void>(range_of("[" + std::string(numbers) + "," + ref + "]")), Damage)
        << numbers;
  }
}

TEST_F(StorePredictions, ProgressOfOtherJobsSaysNothingOfThem) {
  const std::string text = text_of(Progress{});
  EXPECT_EQ(text.find("predicted"), std::string::npos);
  EXPECT_EQ(text.find("batch_rows"), std::string::npos);
  EXPECT_EQ(progress_of(text).batch_rows, 0U);
  EXPECT_THROW(
      static_cast<void>(progress_of(text.substr(0, text.size() - 1) + ",\"batch_rows\":1000001}")),
      Damage);
}

}  // namespace
}  // namespace gradmill::coordinator
