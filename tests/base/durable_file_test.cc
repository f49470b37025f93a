// Not tested: a crash between rename and sync, and a disk that fails.
#include "base/durable_file.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"

namespace gradmill {
namespace {

using std::filesystem::path;
using testing::StartsWith;

/// A new folder for each test, removed after it.
class DurableFile : public testing::Test {
 protected:
  DurableFile() {
    std::string name = testing::TempDir() + "durable_file_test.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~DurableFile() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string at(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(folder_), {});
  }
  static void put(const std::string& file, std::string_view content) {
    std::ofstream(file, std::ios::binary) << content;
  }
  static std::string content(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }
  static void write(const std::string& file, std::string_view text) {
    write_file_durably(file, std::array{text});
  }

  path folder_;
};

template <typename Function>
std::optional<Error> error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

TEST_F(DurableFile, HoldsAllPartsInOrder) {
  const std::string_view binary("\0\xFF\n", 3);
  write_file_durably(at("model"), std::array<std::string_view, 4>{"one", "", "two", binary});
  EXPECT_EQ(content(at("model")), "onetwo" + std::string(binary));
  EXPECT_EQ(files(), 1);
}

TEST_F(DurableFile, MayBeEmpty) {
  write_file_durably(at("model"), {});
  EXPECT_EQ(read_file(at("model"), 0), "");
}

TEST_F(DurableFile, ReplacesTheOldFileWhole) {
  put(at("model"), "a long old content");
  write(at("model"), "new");
  EXPECT_EQ(content(at("model")), "new");
  EXPECT_EQ(files(), 1);
}

TEST_F(DurableFile, IsWhatALinkStandsFor) {
  put(at("model"), "old");
  std::filesystem::create_symlink("model", at("link"));
  write(at("link"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(at("link")));
  EXPECT_EQ(content(at("model")), "new");
}

TEST_F(DurableFile, IsReadableByOthers) {
  write(at("model"), "new");
  struct stat status {};
  ASSERT_EQ(::stat(at("model").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
}

TEST_F(DurableFile, IsWrittenInTheCurrentFolderToo) {
  const path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  write("model", "new");
  std::filesystem::current_path(before);
  EXPECT_EQ(content(at("model")), "new");
}

TEST_F(DurableFile, LeavesNothingWhereThereIsNoFolder) {
  const auto error = error_of([&] { write(at("missing/model"), "new"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error->what(), StartsWith(at("missing/model") + ": cannot be written"));
  EXPECT_EQ(files(), 0);
}

TEST_F(DurableFile, LeavesAFolderOfItsNameAsItWas) {
  std::filesystem::create_directory(at("model"));
  put(at("model/inside"), "kept");
  const auto error = error_of([&] { write(at("model"), "new"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error->what(), StartsWith(at("model") + ": cannot be written"));
  EXPECT_EQ(content(at("model/inside")), "kept");
  EXPECT_EQ(files(), 1);
}

TEST_F(DurableFile, LeavesNothingInAFolderGivenAsItsName) {
  std::filesystem::create_directory(at("model"));
  EXPECT_TRUE(error_of([&] { write(at("model/"), "new"); }));
  EXPECT_TRUE(std::filesystem::is_empty(at("model")));
}

TEST_F(DurableFile, IsNotWrittenBelowAFile) {
  put(at("file"), "kept");
  EXPECT_TRUE(error_of([&] { write(at("file/model"), "new"); }));
  EXPECT_EQ(content(at("file")), "kept");
  EXPECT_EQ(files(), 1);
}

TEST_F(DurableFile, IsReadWholeUpToItsLargestSize) {
  const std::string bytes(100'000, 'x');
  put(at("file"), bytes);
  EXPECT_EQ(read_file(at("file"), bytes.size()), bytes);
}

TEST_F(DurableFile, IsNotReadWhenTooLarge) {
  put(at("file"), "12345");
  const auto error = error_of([&] { static_cast<void>(read_file(at("file"), 4)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kInvalidInput);
  EXPECT_EQ(error->what(), at("file") + ": has 5 bytes; at most 4 are read");
}

TEST_F(DurableFile, IsInvalidInputWhenMissing) {
  const auto error = error_of([&] { static_cast<void>(read_file(at("file"), 10)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error->what(), StartsWith(at("file") + ": cannot be read"));
}

TEST_F(DurableFile, IsReadOnlyIfItIsARegularFile) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  for (const std::string& name : {at("fifo"), folder_.string(), std::string("/dev/zero")}) {
    const auto error = error_of([&] { static_cast<void>(read_file(name, 10)); });
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(error->what(), name + ": is not a regular file");
  }
}

}  // namespace
}  // namespace gradmill
