#include "formats/natural_order.h"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradmill::formats {
namespace {

using testing::ElementsAre;

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end(), natural_less);
  return names;
}

TEST(NaturalOrder, CountsFilesAsPeopleDo) {
  EXPECT_THAT(sorted({"train_10.txt", "train_2.txt", "train_1.txt", "train_11.txt"}),
              ElementsAre("train_1.txt", "train_2.txt", "train_10.txt", "train_11.txt"));
}

TEST(NaturalOrder, ComparesEveryRunOfDigits) {
  EXPECT_THAT(sorted({"2/part10", "10/part1", "2/part9"}),
              ElementsAre("2/part9", "2/part10", "10/part1"));
}

TEST(NaturalOrder, PutsAPrefixFirst) {
  EXPECT_THAT(sorted({"ab", "", "a1", "a"}), ElementsAre("", "a", "a1", "ab"));
}

TEST(NaturalOrder, ComparesAllElseByteByByte) {
  EXPECT_THAT(sorted({"\xC3\xA4", "b", "B", "a1", "a-", "a:"}),
              ElementsAre("B", "a-", "a1", "a:", "b", "\xC3\xA4"));
}

TEST(NaturalOrder, LetsLeadingZerosDecideLast) {
  EXPECT_THAT(sorted({"a1", "a01", "a001"}), ElementsAre("a001", "a01", "a1"));
  EXPECT_TRUE(natural_less("a1a", "a01b"));
  EXPECT_TRUE(natural_less("a09", "a10"));
  EXPECT_THAT(sorted({"0", "00", "1", ""}), ElementsAre("", "0", "00", "1"));
}

TEST(NaturalOrder, TakesRunsOfDigitsOfAnyLength) {
  const std::string nines(100'000, '9');
  const std::string ten = "1" + std::string(100'000, '0');
  EXPECT_TRUE(natural_less(nines, ten));
  EXPECT_FALSE(natural_less(ten, nines));
  EXPECT_TRUE(natural_less(std::string(100'000, '0') + "1", "2"));
  EXPECT_TRUE(natural_less("18446744073709551615", "18446744073709551616"));
}

TEST(NaturalOrder, IsAStrictTotalOrder) {
  constexpr unsigned kSeed = 20240601;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  // Few bytes and short names, so that near-ties are common.
  const std::string alphabet = "0019a\xFF/";
  std::vector<std::string> names(120);
  for (std::string& name : names) {
    for (std::size_t length = random() % 6; length > 0; --length) {
      name += alphabet[random() % alphabet.size()];
    }
  }
  std::size_t intransitive = 0;
  for (const std::string& a : names) {
    EXPECT_FALSE(natural_less(a, a)) << a;
    for (const std::string& b : names) {
      EXPECT_EQ(natural_less(a, b) || natural_less(b, a), a != b) << a << ' ' << b;
      EXPECT_FALSE(natural_less(a, b) && natural_less(b, a)) << a << ' ' << b;
      for (const std::string& c : names) {
        intransitive += natural_less(a, b) && natural_less(b, c) && !natural_less(a, c) ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(intransitive, 0);
}

}  // namespace
}  // namespace gradmill::formats
