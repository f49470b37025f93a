#include "base/keyed_draw.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

namespace gradmill {
namespace {

TEST(KeyedDraw, DependsOnTheKeyAlone) {
  const double first = keyed_draw("job/7/round/1");
  EXPECT_NE(keyed_draw("job/7/round/2"), first);
  EXPECT_EQ(keyed_draw("job/7/round/1"), first);
}

// SHA-256 of "abc" starts ba7816bf8f01cfea: as a little-endian number without its 11 low bits.
TEST(KeyedDraw, TakesTheFirstBytesOfTheDigest) {
  EXPECT_EQ(keyed_draw("abc"), static_cast<double>(0xeacf018fbf1678baULL >> 11U) / 0x1p53);
}

TEST(KeyedDraw, IsUniformInMeanAndSpread) {
  constexpr int kDraws = 100'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double draw = keyed_draw("mean/" + std::to_string(i));
    ASSERT_GE(draw, 0);
    ASSERT_LT(draw, 1);
    sum += draw;
    squares += draw * draw;
  }
  // A uniform draw has variance 1/12, its square has mean 1/3 and variance 4/45; 6 sigma each.
  EXPECT_NEAR(sum / kDraws, 0.5, 6 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 6 * std::sqrt(4.0 / 45 / kDraws));
}

}  // namespace
}  // namespace gradmill
