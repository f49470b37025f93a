#include "coordinator/core/models/model_registry.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

ModelVersion version_of(const std::string& model, std::optional<double> error, char content = 'x') {
  ModelVersion version;
  version.model = model;
  version.topology.units = {16, 24, 26};
  version.file = {sha256(std::string(1, content)), 1};
  version.lineage.validation_error = error;
  version.lineage.rule = {{"optimizer", "adam"}};
  version.created_ms = 5;
  return version;
}

std::uint32_t add(ModelRegistry& registry, const std::string& model, std::optional<double> error) {
  ModelVersion version = version_of(model, error);
  registry.add(version);
  return version.version;
}

template <class Call>
std::string refusal(ErrorCode code, const Call& call) {
  try {
    static_cast<void>(call());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "";
}

class ModelRegistryTest : public testing::Test {
 protected:
  ModelRegistryTest() {
    add(registry_, "letters", 0.3);
    add(registry_, "letters", 0.2);
    add(registry_, "letters", 0.4);
    add(registry_, "digits", std::nullopt);
  }
  std::uint32_t champion() { return registry_.resolve("letters").version; }
  ModelRegistry registry_;
};

TEST_F(ModelRegistryTest, TheFirstVersionIsTheChampion) {
  EXPECT_EQ(champion(), 1U);
  EXPECT_EQ(registry_.resolve("letters@champion").version, 1U);
  EXPECT_EQ(registry_.resolve("letters@3").lineage.validation_error, 0.4);
  const ModelDetails details = registry_.details("letters@2");
  ASSERT_EQ(details.history.size(), 1U);
  EXPECT_EQ(details.history[0], (AliasMove{5, "champion", 0, 1, AliasChange::kRegistered}));
}

TEST_F(ModelRegistryTest, NamesWhatThereIs) {
  const auto resolve = [&](const char* text) {
    return refusal(ErrorCode::kNotFound, [&] { return registry_.resolve(text).version; });
  };
  EXPECT_EQ(resolve("letterz"), "there is no model 'letterz'; there are 'digits', 'letters'");
  EXPECT_EQ(resolve("letters@9"), "the model 'letters' has no version 9; there are 1, 2, 3");
  EXPECT_EQ(resolve("digits@best"), "the model 'digits' has no alias 'best'; there is champion");
}

TEST_F(ModelRegistryTest, PromotesOnlyWhatIsBetter) {
  EXPECT_EQ(refusal(ErrorCode::kInvalidInput,
                    [&] { return registry_.promote("letters@3", "champion", false, 9); }),
            "the validation error of letters@3 (0.4) is not lower than that of letters@1 (0.3), "
            "which is champion; --force promotes it all the same");
  EXPECT_EQ(champion(), 1U);
  EXPECT_EQ(registry_.promote("letters@2", "champion", false, 9)->change, AliasChange::kPromoted);
  EXPECT_EQ(champion(), 2U);
  EXPECT_FALSE(registry_.promote("letters@2", "champion", false, 9));
  EXPECT_EQ(registry_.promote("letters@3", "champion", true, 9)->change, AliasChange::kForced);
  EXPECT_EQ(champion(), 3U);
}

TEST_F(ModelRegistryTest, AnEqualOrUnknownErrorIsNotBetter) {
  EXPECT_EQ(add(registry_, "letters", 0.3), 4U);
  EXPECT_EQ(add(registry_, "letters", std::nullopt), 5U);
  for (const char* reference : {"letters@4", "letters@5"}) {
    EXPECT_NE(refusal(ErrorCode::kInvalidInput,
                      [&] { return registry_.promote(reference, "champion", false, 9); }),
              "");
  }
  EXPECT_TRUE(registry_.promote("letters@5", "champion", true, 9));
}

TEST_F(ModelRegistryTest, ANewAliasAsksForNothing) {
  EXPECT_TRUE(registry_.promote("letters@3", "canary", false, 9));
  EXPECT_EQ(registry_.resolve("letters@canary").version, 3U);
  EXPECT_EQ(champion(), 1U);
}

TEST_F(ModelRegistryTest, RollsBackStepByStep) {
  registry_.promote("letters@2", "champion", false, 9);
  registry_.promote("letters@3", "champion", true, 9);
  EXPECT_EQ(registry_.roll_back("letters", "champion", 3, 9).to, 2U);
  EXPECT_EQ(registry_.roll_back("letters", "champion", 2, 9).to, 1U);
  EXPECT_NE(refusal(ErrorCode::kInvalidInput,
                    [&] { return registry_.roll_back("letters", "champion", 1, 9); }),
            "");
  EXPECT_EQ(champion(), 1U);
}

TEST_F(ModelRegistryTest, ASecondCallDoesNotRollBackFurther) {
  registry_.promote("letters@2", "champion", false, 9);
  registry_.promote("letters@3", "champion", true, 9);
  registry_.roll_back("letters", "champion", 3, 9);
  EXPECT_EQ(refusal(ErrorCode::kInvalidInput,
                    [&] { return registry_.roll_back("letters", "champion", 3, 9); }),
            "the alias champion of the model 'letters' stands for version 2 now, and not for 3");
}

TEST_F(ModelRegistryTest, FindsTheVersionOfAModelThatHasAFile) {
  ModelVersion trained = *registry_.share("letters@1");
  trained.file = {sha256("t"), 1};
  trained.lineage.job = "j";
  registry_.add(trained);
  EXPECT_EQ(registry_.with_file("letters", {sha256("x"), 1})->version, 1U);
  EXPECT_EQ(registry_.with_file("letters", {sha256("t"), 1})->version, 4U);
  EXPECT_EQ(registry_.with_file("letters", {sha256("z"), 1}), nullptr);
  EXPECT_EQ(registry_.with_file("none", {sha256("x"), 1}), nullptr);
}

TEST_F(ModelRegistryTest, FindsWhatAJobRegistered) {
  for (int times = 0; times < 2; ++times) {
    ModelVersion version = *registry_.share("letters@1");
    version.lineage.job = "j";
    registry_.add(version);
  }
  EXPECT_EQ(registry_.version_by("letters", "j"), 5U);
  EXPECT_EQ(registry_.version_by("letters", ""), std::nullopt) << "imported versions have no job";
  EXPECT_EQ(registry_.version_by("digits", "j"), std::nullopt);
  EXPECT_EQ(registry_.version_by("none", "j"), std::nullopt);
  registry_.remove_version("letters", 5, 9);
  EXPECT_EQ(registry_.version_by("letters", "j"), std::nullopt);
}

TEST_F(ModelRegistryTest, RollsBackPastWhatIsGone) {
  registry_.promote("letters@2", "champion", false, 9);
  registry_.promote("letters@3", "champion", true, 9);
  registry_.remove_version("letters", 2, 9);
  EXPECT_EQ(registry_.roll_back("letters", "champion", 3, 9).to, 1U);
}

TEST_F(ModelRegistryTest, KeepsWhatAnAliasStandsFor) {
  EXPECT_EQ(
      refusal(ErrorCode::kInvalidInput, [&] { return registry_.remove_version("letters", 1, 9); }),
      "version 1 of the model 'letters' is its champion; promote another version to that "
      "alias first, or delete the whole model");
  EXPECT_EQ(registry_.list("letters").size(), 3U);
}

TEST_F(ModelRegistryTest, NeverGivesANumberTwice) {
  registry_.remove_version("letters", 3, 9);
  EXPECT_EQ(add(registry_, "letters", 0.1), 4U);
  EXPECT_EQ(registry_.details("letters").history.back().change, AliasChange::kDeleted);
  registry_.remove_version("letters", 4, 9);

  ModelRegistry again;
  for (std::uint32_t number : {1U, 2U}) {
    again.restore(registry_.resolve("letters@" + std::to_string(number)));
  }
  again.restore(registry_.aliases("letters"));
  EXPECT_EQ(add(again, "letters", 0.1), 5U);
  EXPECT_EQ(again.resolve("letters").version, 1U);
}

TEST_F(ModelRegistryTest, ForgetsAModel) {
  registry_.remove_model("letters");
  EXPECT_NE(refusal(ErrorCode::kNotFound, [&] { return registry_.resolve("letters").version; }),
            "");
  EXPECT_EQ(registry_.list().size(), 1U);
  EXPECT_EQ(add(registry_, "letters", 0.1), 1U);
}

TEST_F(ModelRegistryTest, ListsChampionsAndVersions) {
  registry_.promote("letters@2", "champion", false, 9);
  const std::vector<ModelSummary> models = registry_.list();
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[1].model, "letters");
  EXPECT_EQ(models[1].version, 2U);
  EXPECT_EQ(models[1].versions, 3U);
  const std::vector<ModelSummary> versions = registry_.list("letters");
  ASSERT_EQ(versions.size(), 3U);
  EXPECT_EQ(versions[0].version, 3U);
  EXPECT_TRUE(versions[0].aliases.empty());
  EXPECT_EQ(versions[1].aliases, std::vector<std::string>{"champion"});
  EXPECT_EQ(versions[1].topology, "16-24-26");
  EXPECT_EQ(versions[1].optimizer, "adam");
}

TEST_F(ModelRegistryTest, FindsAVersionByItsFile) {
  EXPECT_EQ(registry_.with_file({sha256("y"), 1}), nullptr);
  ModelVersion version = version_of("other", 0.1, 'y');
  registry_.add(version);
  EXPECT_EQ(registry_.with_file({sha256("y"), 1})->model, "other");
}

}  // namespace
}  // namespace gradmill::coordinator
