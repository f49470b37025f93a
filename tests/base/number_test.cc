#include "base/number.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace gradmill {
namespace {

TEST(ParseInteger, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_integer<int>("42"), 42);
  EXPECT_EQ(parse_integer<int>("-42"), -42);
  EXPECT_EQ(parse_integer<int>("007"), 7);
  for (const char* text : {"", " 42", "42 ", "+42", "4 2", "42.0", "0x2a", "4e1", "--4", "abc"}) {
    EXPECT_EQ(parse_integer<int>(text), std::nullopt) << text;
  }
}

TEST(ParseInteger, KeepsTheRangeOfItsType) {
  EXPECT_EQ(parse_integer<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(parse_integer<std::uint16_t>("65536"), std::nullopt);
  EXPECT_EQ(parse_integer<std::uint16_t>("-1"), std::nullopt);
  EXPECT_EQ(parse_integer<std::uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_integer<std::uint64_t>("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_integer<std::int64_t>("-9223372036854775808"), INT64_MIN);
}

TEST(ParseReal, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_real<double>("0.25"), 0.25);
  EXPECT_EQ(parse_real<double>("-1e-3"), -1e-3);
  EXPECT_EQ(parse_real<double>(".5"), 0.5);
  EXPECT_EQ(parse_real<double>("5."), 5.0);
  for (const char* text : {"", " 1", "1 ", "+1", "1,5", "1e", "0x1p3", ".", "-", "abc"}) {
    EXPECT_EQ(parse_real<double>(text), std::nullopt) << text;
  }
}

TEST(ParseReal, RefusesWhatIsNotFinite) {
  for (const char* text : {"nan", "NaN", "-nan", "nan(1)", "inf", "-inf", "Infinity", "1e999"}) {
    EXPECT_EQ(parse_real<double>(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_real<float>("1e39"), std::nullopt);
}

}  // namespace
}  // namespace gradmill
