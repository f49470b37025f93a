#include "client/report/output_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"

namespace gradmill::client {
namespace {

class OutputFile : public testing::Test {
 protected:
  OutputFile() {
    std::string name = (std::filesystem::temp_directory_path() / "gradmill-test-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~OutputFile() override { std::filesystem::remove_all(folder_); }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] static std::string refusal(const std::string& path) {
    try {
      check_writable("--output", path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      return error.what();
    }
    return "";
  }

  std::filesystem::path folder_;
};

TEST_F(OutputFile, MayBeNewOrThereOrALinkToOne) {
  EXPECT_EQ(refusal(""), "");
  EXPECT_EQ(refusal(at("new")), "");
  std::ofstream(at("old")) << "old";
  EXPECT_EQ(refusal(at("old")), "");
  std::filesystem::create_symlink(at("old"), at("link"));
  EXPECT_EQ(refusal(at("link")), "");
}

TEST_F(OutputFile, IsRefusedWhereOnlyAnotherThingCouldBeReplaced) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal(at("pipe")),
            "--output: '" + at("pipe") + "' cannot be written: it is no regular file");
  EXPECT_NE(refusal("/dev/null").find("it is no regular file"), std::string::npos);
  EXPECT_NE(refusal(folder_.string()).find("it is a folder"), std::string::npos);
  EXPECT_NE(refusal(at("none/file")).find("there is no such folder"), std::string::npos);
}

}  // namespace
}  // namespace gradmill::client
