#include "formats/csv.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/error_of.h"

namespace gradmill::formats {
namespace {

using testing::ElementsAre;

using Bytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

/// Ten megabytes of `byte`.
std::string repeated(char byte) {
  std::string text;
  text.resize(10'000'000, byte);
  return text;
}

ml::Shard parse(std::string_view text) { return parse_csv(text, "t.txt", {}); }

std::string refusal(std::string_view text, const CsvExpectation& expectation = {}) {
  return error_of([&] { return parse_csv(text, "t.txt", expectation); });
}

TEST(Csv, KeepsIntegersOfAByteAsBytes) {
  const ml::Shard shard = parse("0,255,7,3\n1,2,3,25\n");
  EXPECT_EQ(shard.rows, 2);
  EXPECT_EQ(shard.features, 3);
  EXPECT_EQ(shard.classes, 26);
  EXPECT_THAT(std::get<Bytes>(shard.values), ElementsAre(0, 255, 7, 1, 2, 3));
  EXPECT_THAT(shard.labels, ElementsAre(3, 25));
}

TEST(Csv, GoesByTheValueAndNotItsSpelling) {
  EXPECT_THAT(std::get<Bytes>(parse("3.0,+7,2.55e2,-0,00012,1000000e-6,0\n").values),
              ElementsAre(3, 7, 255, 0, 12, 1));
}

TEST(Csv, TurnsAllFeaturesIntoFloatsWhenOneIsNoByte) {
  EXPECT_THAT(std::get<Floats>(parse("1,2,0\n256,4,0\n").values), ElementsAre(1, 2, 256, 4));
  EXPECT_THAT(std::get<Floats>(parse("1,-1,0\n3,4,0\n").values), ElementsAre(1, -1, 3, 4));
  EXPECT_THAT(std::get<Floats>(parse("1,2,0\n3,.5,0\n").values), ElementsAre(1, 2, 3, 0.5F));
}

TEST(Csv, RoundsToTheNearestFloat) {
  EXPECT_THAT(
      std::get<Floats>(parse("0.1,-3.4e38,+1.E-3,16777217,12345678901234567890,1e-40,0\n").values),
      ElementsAre(0.1F, -3.4e38F, 1e-3F, 16777216.0F, 12345678901234567890.0F, 1e-40F));
}

TEST(Csv, TakesATinyNumberForZero) {
  EXPECT_THAT(std::get<Bytes>(parse("1e-99,0.0e999,0\n").values), ElementsAre(0, 0));
}

TEST(Csv, HasNoNegativeZeros) {
  const ml::Shard shard = parse("-0,-1e-99,0.5,-0.0,-1e-99,0\n");
  for (const float value : std::get<Floats>(shard.values)) {
    EXPECT_FALSE(std::signbit(value));
  }
}

TEST(Csv, ToleratesHowEditorsWriteIt) {
  for (const std::string_view text : {"1,2,3\n4,5,6\n",
                                      "1,2,3\n4,5,6",
                                      "1,2,3\r\n4,5,6\r\n",
                                      "\xEF\xBB\xBF\n1,2,3\n4,5,6\n",
                                      "\xEF\xBB\xBF 1,2,3\n4,5,6\n",
                                      "\n \n1,2,3\n\t\r\n\n4,5,6\n\n\n",
                                      " 1 ,\t2, 3 \n4 , 5\t,6\t\n"}) {
    const ml::Shard shard = parse(text);
    EXPECT_THAT(std::get<Bytes>(shard.values), ElementsAre(1, 2, 4, 5)) << text;
    EXPECT_THAT(shard.labels, ElementsAre(3, 6)) << text;
  }
}

TEST(Csv, NeedsARow) {
  for (const std::string_view text : {"", "\n", " \r\n\n", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(refusal(text), "t.txt: has no rows");
  }
}

TEST(Csv, NamesWhatIsNoNumber) {
  EXPECT_EQ(refusal("1,2,3\n\n1,abc,3\n"), "t.txt:3: 'abc' in column 2 is not a number");
  for (const std::string text :
       {"-", "+", "+-1", "-+1", "--1", "1.2.3", "1e", "0x10", "1 2", "."}) {
    EXPECT_EQ(refusal("1,1\n" + text + ",1\n"),
              "t.txt:2: '" + text + "' in column 1 is not a number");
  }
  EXPECT_EQ(refusal("1,1\n1\r,1\n"), "t.txt:2: '1\\r' in column 1 is not a number");
  EXPECT_EQ(refusal("1,1\n\x1b[2J,1\n"), "t.txt:2: '\\x1b[2J' in column 1 is not a number");
  EXPECT_EQ(refusal(std::string_view("1,1\n1\0,1\n", 9)),
            "t.txt:2: '1\\x00' in column 1 is not a number");
  EXPECT_EQ(refusal("1,1\n,1\n"), "t.txt:2: column 1 is empty");
  EXPECT_EQ(refusal("1,1\n" + std::string(50, 'x') + ",1\n"),
            "t.txt:2: '" + std::string(40, 'x') + "...' in column 1 is not a number");
}

TEST(Csv, SuspectsAHeaderInTheFirstRow) {
  EXPECT_EQ(refusal("\nx-box,letter\n1,2\n"),
            "t.txt:2: 'x-box' in column 1 is not a number; if this is a header, remove the line");
}

TEST(Csv, RefusesWhatIsNotFinite) {
  for (const std::string text : {"nan", "-NaN", "+inf", "-Infinity", "nan(1)"}) {
    EXPECT_EQ(refusal("1," + text + ",1\n"),
              "t.txt:1: '" + text + "' in column 2 is not a finite number");
  }
  for (const std::string text : {"1e99", "-3.5e38", "1e400", "1e99999999999999999999"}) {
    EXPECT_EQ(refusal("1," + text + ",1\n"),
              "t.txt:1: '" + text +
                  "' in column 2 is out of range; features are 32-bit floats, at most 3.4e38");
  }
}

TEST(Csv, NamesARaggedRow) {
  EXPECT_EQ(refusal("\n1,2,3\n1,2\n"), "t.txt:3: has 2 columns; 3 are expected, as in line 2");
  EXPECT_EQ(refusal("1,2,3\n1,2,3,\n"), "t.txt:2: has 4 columns; 3 are expected, as in line 1");
  EXPECT_EQ(refusal("1,2,3\nfoo\n"), "t.txt:2: has 1 column; 3 are expected, as in line 1");
  EXPECT_EQ(refusal("1,2,3\na,b,c,d\n"), "t.txt:2: has 4 columns; 3 are expected, as in line 1");
}

TEST(Csv, ComparesColumnsWithAnotherFile) {
  CsvExpectation expectation;
  expectation.features = 3;
  EXPECT_EQ(parse_csv("1,2,3,4\n", "t.txt", expectation).features, 3);
  EXPECT_EQ(refusal("1,2,3\n", expectation), "t.txt:1: has 3 columns; 4 are expected");
  expectation.features_from = "train_1.txt";
  EXPECT_EQ(refusal("1,2,3\n", expectation),
            "t.txt:1: has 3 columns; 4 are expected, as in train_1.txt");
  EXPECT_EQ(refusal("1,2,3,4\n1,2,3,4,5\n", expectation),
            "t.txt:2: has 5 columns; 4 are expected, as in train_1.txt");
}

TEST(Csv, NeedsAFeature) {
  EXPECT_EQ(refusal("1;2;3\n"),
            "t.txt:1: has 1 column; features and then a label are expected, separated by commas");
}

TEST(Csv, HoldsTheMostFeaturesAndNoMore) {
  std::string line;
  for (int i = 0; i < 65'536; ++i) {
    line += "1,";
  }
  EXPECT_EQ(parse(line + "9\n").features, 65'536);
  EXPECT_EQ(refusal(line + "9,9\n"), "t.txt:1: has 65538 columns; at most 65537 are allowed");
}

TEST(Csv, NamesWhatIsNoLabel) {
  for (const std::string text : {"3.0", "3.5", "1e1", "+3", "-", "x", "-1.5", "1 2"}) {
    EXPECT_EQ(refusal("1,1\n1," + text + "\n"),
              "t.txt:2: label '" + text + "' is not a plain integer; labels are 0, 1, 2, ...");
  }
  EXPECT_EQ(refusal("1,-1\n"), "t.txt:1: label '-1' is negative; labels are 0, 1, 2, ...");
  EXPECT_EQ(refusal("1,65536\n"), "t.txt:1: label '65536' is too large; labels are at most 65535");
  EXPECT_EQ(refusal("1,99999999999999999999\n"),
            "t.txt:1: label '99999999999999999999' is too large; labels are at most 65535");
  EXPECT_EQ(refusal("1,2,\n"), "t.txt:1: column 3, the label, is empty");
  EXPECT_EQ(refusal("1,2\r3,4\n"),
            "t.txt:1: '2\\r3' in column 2 is not a number; if this is a header, remove the line");
  EXPECT_EQ(parse("1,65535\n").classes, 65'536);
}

TEST(Csv, ComparesLabelsWithTheClasses) {
  CsvExpectation expectation;
  expectation.classes = 26;
  EXPECT_EQ(parse_csv("1,25\n", "t.txt", expectation).classes, 26);
  EXPECT_EQ(refusal("1,1\n1,26\n", expectation), "t.txt:2: label 26 is not below 26");
  expectation.classes_from = "--classes 26";
  EXPECT_EQ(refusal("1,31\n", expectation), "t.txt:1: label 31 is not below 26 (--classes 26)");
}

TEST(Csv, RefusesOneHugeLine) {
  EXPECT_EQ(refusal(repeated(',')), "t.txt:1: has 10000001 columns; at most 65537 are allowed");
  EXPECT_EQ(refusal(repeated('x') + ",1"),
            "t.txt:1: '" + std::string(40, 'x') +
                "...' in column 1 is not a number; if this is a header, remove the line");
  EXPECT_EQ(refusal(repeated('7') + ",1"),
            "t.txt:1: '" + std::string(40, '7') +
                "...' in column 1 is out of range; features are 32-bit floats, at most 3.4e38");
}

// Would ask for 640 GB if room were made for a row of features a line.
TEST(Csv, MakesNoRoomForBlankLines) {
  std::string text;
  for (int i = 0; i < 65'536; ++i) {
    text += "1,";
  }
  EXPECT_EQ(parse(text + "9" + repeated('\n')).rows, 1);
}

TEST(Csv, SurvivesAnyBytes) {
  constexpr unsigned kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const std::string alphabet = "0123456789,,,,,\n\n\r .+-eExn";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t length = random() % 24; length > 0; --length) {
      text += alphabet[random() % alphabet.size()];
    }
    try {
      const ml::Shard shard = parse(text);
      const auto values = std::visit([](const auto& some) { return some.size(); }, shard.values);
      ASSERT_EQ(values, std::size_t{shard.rows} * shard.features) << text;
      ASSERT_EQ(shard.labels.size(), shard.rows) << text;
    } catch (const Error& error) {
      ASSERT_EQ(std::string_view(error.what()).substr(0, 5), "t.txt") << text;
      ASSERT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << text;
    }
  }
}

}  // namespace
}  // namespace gradmill::formats
