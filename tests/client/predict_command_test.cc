#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/durable_file.h"
#include "client/commands/commands.h"
#include "client/fake_link.h"

namespace gradmill::client {
namespace {

class PredictCommandTest : public testing::Test {
 protected:
  PredictCommandTest() {
    link_.served = {.model = "letters", .version = 3, .file = {}, .features = 2, .labels = {}};
    for (char label = 'A'; label <= 'Z'; ++label) {
      link_.served.labels.emplace_back(1, label);
    }
  }

  ~PredictCommandTest() override { std::filesystem::remove(path_); }

  int run(const std::vector<std::string>& words) {
    out_.str("");
    err_.str("");
    std::vector<std::string> all = {"predict", "letters", "--coordinator", "h:1"};
    all.insert(all.end(), words.begin(), words.end());
    return client::run(parse_request(all).value(), link_, {out_, err_, 0, interrupted_});
  }
  std::string failure(const std::vector<std::string>& words) {
    try {
      static_cast<void>(run(words));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_EQ(out_.str(), "");
      return error.what();
    }
    return "no error";
  }
  const std::string& file_of(const std::string& text) {
    const std::array<std::string_view, 1> parts = {text};
    write_file_durably(path_, parts);
    return path_;
  }

  FakeLink link_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::atomic<bool> interrupted_ = false;
  /// Each test's own: they run at the same time.
  const std::string path_ =
      testing::TempDir() + "predict_command_" + std::to_string(::getpid()) + ".csv";
};

TEST_F(PredictCommandTest, ALineARow) {
  EXPECT_EQ(run({"--row", "2,8"}), 0);
  EXPECT_EQ(out_.str(), "2 C 1\n");
  EXPECT_EQ(link_.calls,
            (std::vector<std::string>{"served model letters", "predict letters@3 1 bytes"}));
}

TEST_F(PredictCommandTest, JsonIsOneObject) {
  EXPECT_EQ(run({"--file", file_of("25,1\n0,0.5\n"), "--format", "json"}), 0);
  EXPECT_EQ(link_.calls.back(), "predict letters@3 2 floats");
  EXPECT_EQ(nlohmann::json::parse(out_.str()), nlohmann::json::parse(R"({
    "model": "letters", "version": 3, "predictions": [
      {"class": 25, "label": "Z", "probability": 1.0},
      {"class": 0, "label": "A", "probability": 1.0}]})"));
}

TEST_F(PredictCommandTest, LargeFilesGoInPiecesInOrder) {
  constexpr int kRows = 150'000;
  std::string text;
  for (int row = 0; row < kRows; ++row) {
    text += std::to_string(row % 26) + ",0\n";
  }
  EXPECT_EQ(run({"--file", file_of(text)}), 0);
  EXPECT_EQ(link_.calls.size(), 4U);
  std::istringstream lines(out_.str());
  int row = 0;
  for (std::string line; std::getline(lines, line); ++row) {
    ASSERT_TRUE(line.starts_with(std::to_string(row % 26) + ' ')) << row;
  }
  EXPECT_EQ(row, kRows);
}

TEST_F(PredictCommandTest, LabelsGiveAnAccuracy) {
  EXPECT_EQ(run({"--labelled", "--file", file_of("1,0,B\n2,0,A\n3,0,D\n4,0,E\n")}), 0);
  EXPECT_EQ(err_.str(), "3 of 4 rows were right: accuracy 0.75\n");
}

TEST_F(PredictCommandTest, TellsOfLabelsThatTheModelDoesNotKnow) {
  EXPECT_EQ(run({"--labelled", "--file", file_of("1,0,B\n2,0,?\n3,0,D\n4,0,e\n")}), 0);
  EXPECT_EQ(
      err_.str(),
      "client: rows with a label that letters@3 does not know: 2 of 4, as row 2 with '?'; they "
      "count as wrong\n2 of 4 rows were right: accuracy 0.5\n");
}

TEST_F(PredictCommandTest, NamesWhatIsWrong) {
  EXPECT_EQ(failure({"--row", "1"}), "--row:1: has 1 column; model letters@3 takes 2 features");
  const std::string path = file_of("1,2\n1,inf\n");
  EXPECT_EQ(failure({"--file", path}), path + ":2: 'inf' in column 2 is not a finite number");
  EXPECT_NE(failure({"--row", "1,2", "--file", path}).find("--file"), std::string::npos);
}

}  // namespace
}  // namespace gradmill::client
