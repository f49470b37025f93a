#include "base/check.h"

#include <gtest/gtest.h>

namespace gradmill {
namespace {

TEST(CheckDeathTest, NamesTheBrokenCondition) {
  EXPECT_DEATH(GRADMILL_CHECK(1 + 1 == 3), "bug: 1 \\+ 1 == 3 does not hold at .*check_test.cc:");
}

TEST(Check, EvaluatesItsConditionOnce) {
  int count = 0;
  GRADMILL_CHECK(++count == 1);
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace gradmill
