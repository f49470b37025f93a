#include "base/address.h"

#include <gtest/gtest.h>

namespace gradmill {
namespace {

TEST(Address, HasBracketsAroundAnIpv6HostAlone) {
  EXPECT_EQ((Address{"box.example", 9000}.text()), "box.example:9000");
  EXPECT_EQ((Address{"10.0.0.7", 9000}.text()), "10.0.0.7:9000");
  EXPECT_EQ((Address{"::1", 38389}.text()), "[::1]:38389");
}

TEST(Address, IsReadAsItIsWritten) {
  for (const Address& address :
       {Address{"a", 1}, {"10.0.0.7", 65535}, {"::1", 38389}, {"fe80::1%lo", 2}}) {
    EXPECT_EQ(parse_address(address.text()), address);
  }
  EXPECT_EQ(parse_address("::1:9000"), (Address{"::1", 9000})) << "as older releases wrote it";
}

TEST(Address, IsRefusedWithoutHostOrPort) {
  for (const char* const text :
       {"", "a", ":1", "a:", "a:0", "a:65536", "a:b", "a:-1", "[::1]", "[::1", "[::1:9", "[]:9"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Address, OnlyIpv6HasBrackets) {
  EXPECT_EQ(without_brackets("[::1]"), "::1");
  EXPECT_EQ(without_brackets("::1"), "::1");
  EXPECT_EQ(without_brackets("[a]"), "[a]");
}

}  // namespace
}  // namespace gradmill
