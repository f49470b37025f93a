#include "formats/zip_archive.h"

#include <string>

#include <gtest/gtest.h>

#include "formats/error_of.h"

namespace gradmill::formats {
namespace {

TEST(ZipArchive, HoldsContentsOfEitherOrNoPart) {
  const std::string large(1'000'000, 'x');
  const std::string archive = write_zip(
      {{"both", "head", "body"}, {"body", "", large}, {"head", large, ""}, {"none", "", ""}});
  const ZipReader zip(archive, 4, "z:");
  ASSERT_EQ(zip.entries().size(), 4);
  EXPECT_EQ(zip.entries()[0].name, "both");
  EXPECT_EQ(zip.read(0), "headbody");
  EXPECT_EQ(zip.read(1), large);
  EXPECT_EQ(zip.read(2), large);
  EXPECT_EQ(zip.read(3), "");
}

TEST(ZipArchive, HasTheSameBytesForTheSameContents) {
  EXPECT_EQ(write_zip({{"a", "b", "c"}}), write_zip({{"a", "bc", ""}}));
}

TEST(ZipArchive, NoticesDamage) {
  std::string archive = write_zip({{"a", "head", "body"}});
  archive[archive.find("body")] ^= 1;
  const ZipReader zip(archive, 1, "z:");
  EXPECT_EQ(error_of([&] { return zip.read(0); }), "z: 'a' is damaged");
  EXPECT_EQ(error_of([&] { return ZipReader(archive, 0, "z:"), 0; }),
            "z: it has 1 arrays; at most 0 are allowed");
}

}  // namespace
}  // namespace gradmill::formats
