// The registry of models on a real cluster: what training leaves there, and what outlives it.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;

class Models : public testing::Test {
 protected:
  /// Two versions of `letters`, the second one better.
  void SetUp() override {
    ASSERT_EQ(
        cluster_
            .train(with(short_job(), {"--id", "one", "--output", folder_.path("one.safetensors")}))
            .code,
        0);
    ASSERT_EQ(cluster_.train({GRADMILL_LETTERS, "4", "10", "12", "0.0001", "--id", "two"}).code, 0);
  }
  void expect_refused(const std::vector<std::string>& words, int code, const std::string& why) {
    const Ended ended = cluster_.client(words);
    EXPECT_EQ(ended.code, code) << ended.err;
    EXPECT_NE(ended.err.find(why), std::string::npos) << ended.err;
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  }

  const Folder folder_;
  Cluster cluster_;
};

TEST_F(Models, TrainingRegistersVersionsWithTheirLineage) {
  const json models = cluster_.ask({"model", "list"});
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].at("model"), "letters") << "the data folder's name";
  EXPECT_EQ(models[0].at("version"), 1) << "the first version is the champion";
  EXPECT_EQ(models[0].at("versions"), 2);
  const json versions = cluster_.ask({"model", "ls", "letters"});
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[0].at("job_id"), "two");

  const json job = cluster_.ask({"job", "show", "two"});
  const json shown = cluster_.ask({"model", "show", "letters@2"});
  EXPECT_EQ(shown.at("job_id"), "two");
  EXPECT_EQ(shown.at("parameters_sha256"), job.at("parameters_sha256"));
  EXPECT_EQ(shown.at("topology"), json::array({16, 12, 26}));
  EXPECT_EQ(shown.at("labels").size(), 26U);
  EXPECT_EQ(shown.at("rule").at("rounds"), "4");
  ASSERT_EQ(shown.at("errors").size(), 4U);
  EXPECT_EQ(shown.at("errors")[3].at("validation_error"), shown.at("validation_error"));
  double rows = 0;
  double wrong = 0;
  const json& matrix = shown.at("confusion").at("matrix");
  for (std::size_t label = 0; label < matrix.size(); ++label) {
    for (std::size_t predicted = 0; predicted < matrix.size(); ++predicted) {
      const double count = matrix[label][predicted].get<double>();
      rows += count;
      wrong += label == predicted ? 0 : count;
    }
  }
  EXPECT_EQ(rows, 3500);
  EXPECT_EQ(wrong / rows, shown.at("validation_error").get<double>());
}

TEST_F(Models, ABetterVersionIsPromotedAndRolledBack) {
  const json versions = cluster_.ask({"model", "list", "letters"});
  const bool second_is_better = versions[0].at("validation_error").get<double>() <
                                versions[1].at("validation_error").get<double>();
  const std::string better = second_is_better ? "letters@2" : "letters@1";
  const std::string worse = second_is_better ? "letters@1" : "letters@2";
  EXPECT_EQ(cluster_.client({"model", "promote", better, "--force"}).code, 0);
  expect_refused({"model", "promote", worse}, 2, "is not lower than that of " + better);
  EXPECT_EQ(cluster_.ask({"model", "promote", worse, "--force"}).at("changed"), true);
  EXPECT_EQ(cluster_.ask({"model", "promote", better}).at("changed"), true);
  EXPECT_EQ(cluster_.ask({"model", "rollback", "letters"}).at("changed"), true);
  const int left = second_is_better ? 1 : 2;
  EXPECT_EQ(cluster_.ask({"model", "show", "letters"}).at("version"), left);
  EXPECT_EQ(cluster_.ask({"model", "promote", better, "--alias", "canary"}).at("changed"), true);
  expect_refused({"model", "delete", better}, 2, "is its canary");
}

TEST_F(Models, ExportAndImportKeepEveryBit) {
  const std::string exported = folder_.path("exported.safetensors");
  ASSERT_EQ(cluster_.client({"model", "export", "letters@1", "--output", exported}).code, 0);
  EXPECT_EQ(bytes_in(exported), bytes_in(folder_.path("one.safetensors"))) << "what training wrote";
  const std::string output = folder_.path("output.safetensors");
  ASSERT_EQ(cluster_.client({"job", "output", "one", "--output", output}).code, 0);
  EXPECT_EQ(bytes_in(exported), bytes_in(output));
  EXPECT_EQ(cluster_.ask({"model", "import", exported, "--model", "copy"}).at("version"), 1);
  EXPECT_EQ(cluster_.ask({"model", "import", exported, "--model", "copy"}).at("version"), 1)
      << "the same file is the same version";
  const json copy = cluster_.ask({"model", "show", "copy"});
  EXPECT_EQ(copy.at("job_id"), "");
  EXPECT_TRUE(copy.at("validation_error").is_null());
  EXPECT_EQ(copy.at("rule").at("optimizer"), "gd");
  const std::string again = folder_.path("again.safetensors");
  ASSERT_EQ(cluster_.client({"model", "export", "copy@champion", "--output", again}).code, 0);
  EXPECT_EQ(bytes_in(again), bytes_in(exported));
}

TEST_F(Models, OutliveTheirJobAndAKilledCoordinator) {
  ASSERT_EQ(cluster_.client({"model", "promote", "letters@2", "--force"}).code, 0);
  const json before = cluster_.ask({"model", "show", "letters"});
  ASSERT_EQ(cluster_.client({"job", "delete", "two"}).code, 0);
  ASSERT_EQ(cluster_.client({"gc"}).code, 0);
  cluster_.kill_coordinator();
  cluster_.restart_coordinator();
  EXPECT_EQ(cluster_.ask({"model", "show", "letters"}), before);
  const std::string exported = folder_.path("exported.safetensors");
  ASSERT_EQ(cluster_.client({"model", "export", "letters", "--output", exported}).code, 0);
  EXPECT_FALSE(bytes_in(exported).empty());
  EXPECT_EQ(cluster_.ask({"model", "list", "letters"}).size(), 2U) << "nothing comes twice";
}

TEST_F(Models, AreDeletedForGood) {
  expect_refused({"model", "delete", "letters"}, 2, "add --yes");
  expect_refused({"model", "delete", "letters@1"}, 2, "is its champion");
  ASSERT_EQ(cluster_.ask({"model", "rm", "letters@2"}).at("deleted"), true);
  EXPECT_EQ(cluster_.ask({"model", "list", "letters"}).size(), 1U);
  ASSERT_EQ(cluster_.client({"model", "delete", "letters", "--yes"}).code, 0);
  cluster_.restart_coordinator();
  EXPECT_EQ(cluster_.ask({"model", "list"}).size(), 0U);
  EXPECT_EQ(cluster_.ask({"gc"}).at("files").size(), 0U);
}

TEST_F(Models, RefuseWhatMakesNoSense) {
  expect_refused({"model", "show", "letterz"}, 6, "there is no model 'letterz'");
  expect_refused({"model", "show", "letters@9"}, 6, "has no version 9; there are 1, 2");
  expect_refused({"model", "show", "letters@best"}, 6, "has no alias 'best'");
  expect_refused(
      {"model", "export", "letterz", "--output", folder_.path("x.safetensors")}, 6, "no model");
  expect_refused({"model", "show", "../x"}, 2, "has a '/'");
  expect_refused({"model", "show", "a\nb"}, 2, "has a control character");
  expect_refused({"model", "list", std::string(256, 'x')}, 2, "has 256 bytes");
  const Ended ended = cluster_.train(with(short_job(), {"--model", "a/b"}));
  EXPECT_EQ(ended.code, 2) << ended.err;
  EXPECT_NE(ended.err.find("has a '/'"), std::string::npos) << ended.err;

  const std::string whole = bytes_in(folder_.path("one.safetensors"));
  const auto import = [&](const std::string& bytes) {
    folder_.write("bad.safetensors", bytes);
    return std::vector<std::string>{
        "model", "import", folder_.path("bad.safetensors"), "--model", "m"};
  };
  expect_refused(import(whole.substr(0, whole.size() / 2)), 2, folder_.path("bad.safetensors"));
  expect_refused(
      import(std::string(8, '\xFF') + whole.substr(8)), 2, folder_.path("bad.safetensors"));
  expect_refused(import(""), 2, folder_.path("bad.safetensors"));
  expect_refused({"model", "import", folder_.path("none.safetensors"), "--model", "m"}, 2, "none");
  EXPECT_EQ(cluster_.ask({"model", "list"}).size(), 1U) << "nothing is lost, nothing is new";
}

}  // namespace
}  // namespace gradmill::system_test
