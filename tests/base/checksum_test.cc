#include "base/checksum.h"

#include <string>

#include <gtest/gtest.h>

namespace gradmill {
namespace {

// Values of the algorithm's specification, so that nodes of different builds agree.
TEST(Checksum, IsXxh3) {
  EXPECT_EQ(checksum(""), 0x2D06800538D394C2U);
  EXPECT_EQ(checksum("gradmill"), 0x8AFC1C8E8A64F907U);
}

TEST(Checksum, ChangesWithEveryBit) {
  const std::string data(1000, '\x55');
  for (std::size_t bit = 0; bit < 8 * data.size(); bit += 7) {
    std::string other = data;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_NE(checksum(other), checksum(data)) << bit;
  }
}

}  // namespace
}  // namespace gradmill
