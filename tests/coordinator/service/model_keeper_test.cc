#include "coordinator/service/model_keeper.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "coordinator/service/memory_store.h"
#include "formats/model_file.h"
#include "formats/shard_blob.h"
#include "ml/shard.h"
#include "protocol/model_metadata.h"

namespace gradmill::coordinator {
namespace {

constexpr std::int64_t kEnded = 1'700'000'000'000;

/// Rows of two features, whose labels are the classes 0 and 1 in turn.
Blob rows_blob() {
  ml::Shard shard;
  shard.rows = 6;
  shard.features = 2;
  shard.classes = 2;
  shard.values = std::vector<std::uint8_t>(12, 1);
  shard.labels = {0, 1, 0, 1, 0, 1};
  return make_blob(formats::encode_shard(shard));
}

/// All parameters are 0, so that every row is of the class 0.
Blob weights_of(const ml::Topology& topology) {
  return make_blob(std::string(ml::parameter_count(topology) * sizeof(float), '\0'));
}

Record end_of(const std::string& job, JobState state) {
  JobMoved moved;
  moved.job = job;
  moved.state = state;
  moved.ended_ms = kEnded;
  return moved;
}

class ModelKeeperTest : public testing::Test {
 protected:
  ModelKeeperTest() {
    spdlog::set_level(spdlog::level::off);
    auto specification = std::make_shared<JobSpecification>();
    specification->rule.topology.units = {2, 3, 2};
    specification->rounds = 2;
    specification->shards = {rows_.ref};
    specification->validation = {rows_.ref};
    trained_.model = "letters";
    trained_.specification = specification;
    trained_.round = 2;
    trained_.weights = weights_of(specification->rule.topology);
    trained_.errors = {{1, 0.75}, {2, 0.5}};
    blobs_.put(rows_);
  }

  void complete(std::vector<Record>& records) {
    keeper_.complete(records, [this](const std::string& job) {
      ++asked_;
      trained_.job = job;
      return std::optional(trained_);
    });
  }

  const Blob rows_ = rows_blob();
  TrainedJob trained_;
  int asked_ = 0;
  MemoryStore store_;
  BlobCache blobs_{1U << 20U};
  ModelKeeper keeper_{store_, blobs_};
};

TEST_F(ModelKeeperTest, ASuccessAndItsVersionAreOneCommit) {
  std::vector<Record> records = {end_of("a", JobState::kSucceeded), end_of("b", JobState::kFailed)};
  complete(records);
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(std::get<JobMoved>(records[0]).job, "a");
  EXPECT_EQ(std::get<ModelAdded>(records[1]).version.lineage.job, "a");
  EXPECT_EQ(std::get<ModelAliases>(records[2]).history.at(0).alias, "champion");
  EXPECT_EQ(std::get<JobMoved>(records[3]).job, "b");
  EXPECT_TRUE(keeper_.list().empty()) << "it is not durable yet";
  EXPECT_EQ(keeper_.registered("letters", "a"), "");
  store_.commit(std::vector<Record>{records[1], records[2]});
  keeper_.publish();
  const auto version = keeper_.resolve("letters@champion");
  EXPECT_EQ(version->version, 1U);
  EXPECT_EQ(keeper_.registered("letters", "a"), "letters@1");
  EXPECT_EQ(keeper_.registered("letters", "b"), "");
  const std::optional<Blob> file = keeper_.file(version->file);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->ref, version->file);
  EXPECT_EQ(formats::decode_model(*file->bytes, "file").parameters, *trained_.weights.bytes);
}

TEST_F(ModelKeeperTest, ACommitThatIsTriedAgainRegistersOnce) {
  std::vector<Record> records = {end_of("a", JobState::kSucceeded)};
  complete(records);
  const std::size_t size = records.size();
  records.push_back(end_of("b", JobState::kSucceeded));
  complete(records);
  EXPECT_EQ(asked_, 2);
  ASSERT_EQ(records.size(), size + 3);
  EXPECT_EQ(std::get<ModelAdded>(records[1]).version.version, 1U);
  EXPECT_EQ(std::get<ModelAdded>(records[size + 1]).version.version, 2U);
}

TEST_F(ModelKeeperTest, AJobEndsAlsoIfItsModelCannotBeRegistered) {
  auto without_rows = std::make_shared<JobSpecification>(*trained_.specification);
  without_rows->validation = {{sha256("gone"), 4}};
  trained_.specification = without_rows;
  std::vector<Record> records = {end_of("a", JobState::kSucceeded)};
  complete(records);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(std::get<JobMoved>(records[0]).state, JobState::kSucceeded);
  keeper_.publish();
  EXPECT_TRUE(keeper_.list().empty());
}

TEST_F(ModelKeeperTest, AJobWithoutAModelRegistersNone) {
  std::vector<Record> records = {end_of("a", JobState::kSucceeded)};
  keeper_.complete(records, [](const std::string&) { return std::nullopt; });
  EXPECT_EQ(records.size(), 1U);
}

TEST_F(ModelKeeperTest, AChangeThatCannotBeStoredIsNone) {
  std::vector<Record> records = {end_of("a", JobState::kSucceeded)};
  complete(records);
  store_.commit(std::vector<Record>{records[1], records[2]});
  keeper_.publish();
  const auto remove = [](ModelRegistry& registry) -> std::vector<Record> {
    registry.remove_model("letters");
    return {ModelRemoved{"letters"}};
  };
  store_.full = true;
  EXPECT_THROW(keeper_.change(remove), Error);
  EXPECT_EQ(keeper_.list().size(), 1U);
  store_.full = false;
  keeper_.change(remove);
  EXPECT_TRUE(keeper_.list().empty());
}

TEST_F(ModelKeeperTest, AFileThatIsGoneFromTheStoreIsNamed) {
  std::vector<Record> records = {end_of("a", JobState::kSucceeded)};
  complete(records);
  keeper_.publish();
  try {
    static_cast<void>(keeper_.file(keeper_.resolve("letters")->file));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the file of version 1 of the model letters is damaged in the state folder");
  }
}

class ModelBuildingTest : public ModelKeeperTest {
 protected:
  ModelAdded build() { return version_of(trained_, kEnded, blobs_, trainer_); }

  ml::Trainer trainer_{1};
};

TEST_F(ModelBuildingTest, AVersionHasTheErrorOfItsRoundAndItsConfusion) {
  trained_.round = 1;
  const ModelVersion version = build().version;
  EXPECT_EQ(version.created_ms, kEnded);
  EXPECT_EQ(version.lineage.round, 1U);
  EXPECT_EQ(version.lineage.validation_error, 0.75);
  EXPECT_EQ(version.lineage.errors.size(), 2U);
  EXPECT_EQ(version.labels, (std::vector<std::string>{"0", "1"}));
  ASSERT_TRUE(version.lineage.confusion);
  const auto& counts = version.lineage.confusion->counts;
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0], (ConfusionCount{0, 0, 3}));
  EXPECT_EQ(counts[1], (ConfusionCount{1, 0, 3}));
}

TEST_F(ModelBuildingTest, OfManyErrorsSomeAreKeptAndTheLast) {
  trained_.errors.clear();
  for (std::uint32_t round = 1; round <= 25'001; ++round) {
    trained_.errors.push_back({round, 0.5});
  }
  const auto errors = build().version.lineage.errors;
  EXPECT_LE(errors.size(), 10'000U);
  EXPECT_GE(errors.size(), 5'000U);
  EXPECT_EQ(errors.back().round, 25'001U);
}

TEST_F(ModelBuildingTest, AnExportedFileIsImportedWithItsLineage) {
  trained_.job = "a";
  const ModelAdded built = build();
  const ModelVersion imported = imported_version("other", built.file, kEnded + 1).version;
  EXPECT_EQ(imported.model, "other");
  EXPECT_EQ(imported.file, built.version.file);
  EXPECT_EQ(imported.parameters, built.version.parameters);
  EXPECT_EQ(imported.topology, built.version.topology);
  EXPECT_EQ(imported.activation, built.version.activation);
  EXPECT_EQ(imported.lineage.data_digest, built.version.lineage.data_digest);
  EXPECT_EQ(imported.lineage.round, 2U);
  EXPECT_EQ(imported.lineage.rule, built.version.lineage.rule);
}

TEST_F(ModelBuildingTest, AFileWhoseMetadataDoNotFitIsRefused) {
  formats::ModelFile file;
  file.topology = trained_.specification->rule.topology;
  const auto refusal = [&](std::map<std::string, std::string> metadata) {
    file.metadata = std::move(metadata);
    const Blob blob = make_blob(formats::encode_model_header(file) + *trained_.weights.bytes);
    try {
      static_cast<void>(imported_version("other", blob, kEnded));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal({}), "the model file does not say its activation");
  EXPECT_EQ(refusal({{"activation", "cosine"}}),
            "the model file has the unknown activation 'cosine'");
  const std::string topology = topology_text(file.topology);
  EXPECT_EQ(refusal({{"activation", "tanh"}, {"topology", topology}}), "accepted");
  EXPECT_EQ(
      refusal({{"activation", "tanh"}, {"topology", "16-24-26"}}),
      "the model file says that its topology is '16-24-26', but its tensors make " + topology);
  const std::uint32_t classes = file.topology.classes();
  EXPECT_EQ(refusal({{"activation", "tanh"}, {"class_labels", "a,b,c,d,e,f,g"}}),
            "the model file has 7 class labels, but its tensors make " + std::to_string(classes) +
                " classes");
  std::string twice = "a,a";
  for (std::uint32_t label = 2; label < classes; ++label) {
    twice += "," + std::to_string(label);
  }
  EXPECT_EQ(refusal({{"activation", "tanh"}, {"class_labels", twice}}),
            "the model file has the class label 'a' twice");
  for (const char* const label : {"", "a\n0", "\x1b[31m"}) {
    std::string labels = label;
    for (std::uint32_t other = 1; other < classes; ++other) {
      labels += "," + std::to_string(other);
    }
    EXPECT_TRUE(refusal({{"activation", "tanh"}, {"class_labels", labels}})
                    .ends_with(", which is empty or not plain text"))
        << labels;
  }
}

}  // namespace
}  // namespace gradmill::coordinator
