#include "formats/text.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradmill::formats {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  LineReader reader(text);
  while (const auto line = reader.next()) {
    lines.emplace_back(*line);
    EXPECT_EQ(reader.number(), lines.size());
  }
  return lines;
}

TEST(InQuotes, LeavesPrintableTextAsItIs) { EXPECT_EQ(in_quotes("a b,c"), "'a b,c'"); }

TEST(InQuotes, EscapesAllElse) {
  EXPECT_EQ(in_quotes(std::string_view("\0\t\n\r\x1b\\\x7f\xc3\xbc", 9)),
            R"('\x00\t\n\r\x1b\\\x7f\xc3\xbc')");
}

TEST(InQuotes, CutsLongText) {
  EXPECT_EQ(in_quotes(std::string(40, 'x')), "'" + std::string(40, 'x') + "'");
  EXPECT_EQ(in_quotes(std::string(41, 'x')), "'" + std::string(40, 'x') + "...'");
}

TEST(Trimmed, CutsBlanksAtTheEndsOnly) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed("\ra\n"), "\ra\n");
}

TEST(LineReader, EndsLinesAtLfAndCrlf) {
  using testing::ElementsAre;
  EXPECT_THAT(lines_of("a\nb\r\n\nc\n"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(lines_of("a\nb"), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of("a\rb\r\r\nc\r"), ElementsAre("a\rb\r", "c\r"));
  EXPECT_THAT(lines_of(""), ElementsAre());
}

TEST(LineReader, SkipsOneByteOrderMarkAtTheStart) {
  using testing::ElementsAre;
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"), ElementsAre());
  EXPECT_THAT(lines_of("\xEF\xBB\xBF\xEF\xBB\xBF"
                       "a\n\xEF\xBB\xBF"),
              ElementsAre("\xEF\xBB\xBF"
                          "a",
                          "\xEF\xBB\xBF"));
}

}  // namespace
}  // namespace gradmill::formats
