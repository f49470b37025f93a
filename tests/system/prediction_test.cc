// Predictions through real processes: what the client says of all letters, and what becomes of
// them when nodes die.

#include <signal.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

const std::string kValidation = std::string(GRADMILL_LETTERS) + "/validate_letters.txt";

/// Nodes, and a coordinator that has trained and registered a model of the letters.
class Predictions : public testing::Test {
 protected:
  void SetUp() override {
    const Ended trained = cluster_.train(short_job());
    ASSERT_EQ(trained.code, 0) << trained.err;
    error_ = json::parse(trained.out).at("validation_error").get<double>();
    ASSERT_TRUE(eventually([&] {
      return cluster_.client({"predict", "letters", "--row", kRow}).code == 0;
    }));
  }

  static constexpr const char* kRow = "2,8,3,5,1,8,13,0,6,6,10,8,0,8,0,8";

  Ended predict(std::vector<std::string> words) const {
    words.insert(words.begin(), {"predict", "letters"});
    return cluster_.client(words);
  }

  Cluster cluster_;
  double error_ = 1;  // Of the validation rows.
};

TEST_F(Predictions, AreThoseThatValidationCounted) {
  const Ended result = predict({"--file", kValidation, "--labelled", "--format", "json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const json answer = json::parse(result.out);
  EXPECT_EQ(answer.at("model"), "letters");
  EXPECT_EQ(answer.at("version"), 1);
  const json& predictions = answer.at("predictions");
  std::ifstream rows(kValidation);
  std::size_t row = 0;
  std::size_t wrong = 0;
  for (std::string line; std::getline(rows, line); ++row) {
    const json& one = predictions.at(row);
    const std::string label = line.substr(line.rfind(',') + 1);
    EXPECT_EQ(one.at("label"), std::to_string(one.at("class").get<int>()));
    EXPECT_GT(one.at("probability").get<double>(), 1.0 / 27);
    EXPECT_LE(one.at("probability").get<double>(), 1.0);
    wrong += one.at("label") != label ? 1U : 0U;
  }
  EXPECT_EQ(predictions.size(), row);
  EXPECT_EQ(static_cast<double>(wrong) / static_cast<double>(row), error_);
}

TEST_F(Predictions, GoOnWithoutANodeThatDies) {
  const std::string expected = predict({"--file", kValidation, "--labelled"}).out;
  std::vector<std::unique_ptr<Process>> clients;
  for (int n = 0; n < 4; ++n) {
    std::vector<std::string> words = {"predict",
                                      "letters",
                                      "--file",
                                      kValidation,
                                      "--labelled",
                                      "--coordinator",
                                      "127.0.0.1:" + std::to_string(cluster_.port())};
    clients.push_back(std::make_unique<Process>(command("client", words)));
    if (n == 1) {
      cluster_.node(0).signal(SIGKILL);
    }
  }
  for (const auto& client : clients) {
    EXPECT_EQ(client->wait(seconds(30)), 0) << client->err();
    EXPECT_EQ(client->out(), expected);
  }
}

TEST_F(Predictions, TellWhatIsWrong) {
  const Folder folder;
  folder.write("rows.csv", std::string(kRow) + "\n" + kRow + ",19\n");
  struct Case {
    std::vector<std::string> words;
    int code;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{"letters", "--row", "1,2,3"}, 2, "--row:1: has 3 columns"},
      {{"letters", "--file", folder.path("rows.csv")}, 2, "rows.csv:2: has 17 columns"},
      {{"letters", "--row", "nan" + std::string(kRow).substr(1)}, 2, "not a finite number"},
      {{"letters", "--file", folder.path("none.csv")}, 2, "none.csv"},
      {{"digits", "--row", kRow}, 6, "there is no model 'digits'"},
      {{"letters@9", "--row", kRow}, 6, "the model 'letters' has no version 9"}};
  for (const Case& one : cases) {
    std::vector<std::string> words = {"predict"};
    words.insert(words.end(), one.words.begin(), one.words.end());
    const Ended result = cluster_.client(words);
    EXPECT_EQ(result.code, one.code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find(one.message), std::string::npos) << result.err;
  }
}

}  // namespace
}  // namespace gradmill::system_test
