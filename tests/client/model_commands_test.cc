#include "client/commands/model_commands.h"

#include <atomic>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "client/commands/commands.h"
#include "client/fake_link.h"

namespace gradmill::client {
namespace {

class ModelCommandsTest : public testing::Test {
 protected:
  ModelCommandsTest() {
    ModelVersion& version = link_.model_details.version;
    version.model = "letters";
    version.version = 2;
    version.topology.units = {2, 3};
    version.labels = {"a", "b", "c"};
    version.lineage.job = "j";
    version.lineage.rule = {{"optimizer", "adam"}};
    version.lineage.validation_error = 0.25;
    for (std::uint32_t round = 1; round <= 12; ++round) {
      version.lineage.errors.push_back({round, 0.25});
    }
    version.lineage.confusion = Confusion{3, {{0, 0, 8}, {1, 0, 1}, {2, 1, 3}}};
    link_.model_details.aliases = {{"champion", 2}};
    link_.alias_move = AliasMove{5, "champion", 1, 2, AliasChange::kPromoted};
  }
  std::string run(const std::vector<std::string>& words) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--coordinator", "h:1"});
    out_.str("");
    link_.calls.clear();
    EXPECT_EQ(client::run(*parse_request(all), link_, {out_, err_, 0, interrupted_}), 0);
    return out_.str();
  }
  static std::string refusal(std::vector<std::string> words) {
    words.insert(words.end(), {"--coordinator", "h:1"});
    try {
      static_cast<void>(parse_request(words));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      return error.what();
    }
    return "";
  }

  FakeLink link_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::atomic<bool> interrupted_ = false;
};

TEST_F(ModelCommandsTest, ShowsTheWorstConfusionsFirst) {
  const std::string text = run({"model", "show", "letters@2"});
  EXPECT_NE(text.find("letters@2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("The last 10 of 12 validation errors:"), std::string::npos) << text;
  EXPECT_NE(text.find("Confusions: 4 of 12 validation rows are wrong\n"), std::string::npos);
  EXPECT_LT(text.find("c      b"), text.find("b      a")) << text;
  EXPECT_NE(text.find("100.0 %"), std::string::npos) << text;
}

TEST_F(ModelCommandsTest, JsonHasTheWholeMatrix) {
  const auto json = nlohmann::json::parse(run({"model", "show", "letters", "--format", "json"}));
  EXPECT_EQ(json.at("confusion").at("matrix"), nlohmann::json::parse("[[8,0,0],[1,0,0],[0,3,0]]"));
  EXPECT_EQ(json.at("errors").size(), 12U);
  EXPECT_EQ(json.at("aliases"), nlohmann::json::array({"champion"}));
  EXPECT_TRUE(json.at("data_sha256").is_null());
}

TEST_F(ModelCommandsTest, ListsModelsAndVersions) {
  ModelSummary one;
  one.model = "letters";
  one.version = 2;
  one.versions = 3;
  one.aliases = {"canary", "champion"};
  link_.all_models = {one};
  EXPECT_NE(run({"model", "list"}).find("canary, champion"), std::string::npos);
  EXPECT_EQ(link_.calls, std::vector<std::string>{"models "});
  run({"model", "ls", "letters"});
  EXPECT_EQ(link_.calls, std::vector<std::string>{"models letters"});
}

TEST_F(ModelCommandsTest, PromotesRollsBackAndDeletes) {
  EXPECT_EQ(run({"model", "promote", "letters@2"}), "letters@champion: version 2 instead of 1\n");
  EXPECT_EQ(link_.calls.back(), "promote letters@2 champion");
  run({"model", "promote", "--force", "letters@2", "--alias", "canary"});
  EXPECT_EQ(link_.calls.back(), "promote letters@2 canary by force");
  run({"model", "rollback", "letters"});
  EXPECT_EQ(link_.calls.back(), "roll back letters champion 2");
  EXPECT_EQ(run({"model", "rm", "letters@2"}), "letters@2: deleted\n");
  EXPECT_EQ(link_.calls.back(), "delete letters 2");
  run({"model", "delete", "--yes", "letters"});
  EXPECT_EQ(link_.calls.back(), "delete letters 0");
}

TEST_F(ModelCommandsTest, RefusesWhatIsNotMeant) {
  EXPECT_EQ(refusal({"model", "delete", "letters"}),
            "'letters' means the model with all of its versions; add --yes, or delete "
            "NAME@VERSION");
  EXPECT_EQ(refusal({"model", "delete", "letters@canary"}),
            "'letters@canary' is an alias; delete NAME@VERSION");
  EXPECT_EQ(refusal({"model", "promote", "letters"}),
            "'letters' does not say which version to promote; use NAME@VERSION");
  EXPECT_EQ(refusal({"model", "export", "letters"}),
            "--output is missing; see client model export --help");
  EXPECT_EQ(refusal({"model", "import", "file"}),
            "--model is missing; see client model import --help");
  EXPECT_EQ(refusal({"model", "show", "a/b"}), "the model name 'a/b' has a '/'");
  EXPECT_NE(refusal({"model", "promote", "letters@2", "--alias", "3"}), "");
}

}  // namespace
}  // namespace gradmill::client
