#include "formats/node_list.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/error_of.h"

namespace gradmill::formats {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string refusal(std::string_view text) {
  return error_of([&] { return parse_node_list(text, "nodes.txt"); });
}

TEST(NodeList, KeepsTheOrderOfTheFile) {
  const NodeList list = parse_node_list("b,9091\na,9090\n10.0.0.7,65535", "nodes.txt");
  EXPECT_THAT(list.nodes,
              ElementsAre(Address{"b", 9091}, Address{"a", 9090}, Address{"10.0.0.7", 65535}));
  EXPECT_THAT(list.warnings, IsEmpty());
}

TEST(NodeList, IsEmptyWithoutNodes) {
  EXPECT_THAT(parse_node_list("", "nodes.txt").nodes, IsEmpty());
  EXPECT_THAT(parse_node_list("# none\n\naddress,port\n", "nodes.txt").nodes, IsEmpty());
}

TEST(NodeList, ToleratesHowPeopleAndEditorsWriteIt) {
  const NodeList list = parse_node_list(
      "\xEF\xBB\xBF# our nodes\r\n\r\n address , port \r\n a ,\t1 \r\n  # b,2\r\nc,3 # rack 2, "
      "top\r\n",
      "nodes.txt");
  EXPECT_THAT(list.nodes, ElementsAre(Address{"a", 1}, Address{"c", 3}));
}

TEST(NodeList, TakesIpv6WithAndWithoutBrackets) {
  EXPECT_THAT(parse_node_list("::1,1\n[fe80::1],2\n", "nodes.txt").nodes,
              ElementsAre(Address{"::1", 1}, Address{"fe80::1", 2}));
}

TEST(NodeList, CountsANodeOnceAndSaysSo) {
  const NodeList list = parse_node_list("a,1\nb,1\n\na , 1\na,2\na,01\n", "nodes.txt");
  EXPECT_THAT(list.nodes, ElementsAre(Address{"a", 1}, Address{"b", 1}, Address{"a", 2}));
  EXPECT_THAT(list.warnings,
              ElementsAre("nodes.txt:4: a:1 is listed twice; it counts once",
                          "nodes.txt:6: a:1 is listed twice; it counts once"));
}

TEST(NodeList, NamesTheLineThatIsNoNode) {
  EXPECT_EQ(refusal("a,1\n\nfoo\n"), "nodes.txt:3: 'foo' is not host,port");
  EXPECT_EQ(refusal("a,1,2"), "nodes.txt:1: 'a,1,2' is not host,port");
  EXPECT_EQ(refusal("a:1"), "nodes.txt:1: 'a:1' is not host,port");
  EXPECT_EQ(refusal("a\r\x1b[31m"), "nodes.txt:1: 'a\\r\\x1b[31m' is not host,port");
}

TEST(NodeList, AcceptsItsHeaderOnlyAboveAllNodes) {
  EXPECT_EQ(refusal("a,1\naddress,port\n"),
            "nodes.txt:2: port 'port' is not an integer in 1..65535");
  EXPECT_EQ(refusal("address,port\naddress,port\n"),
            "nodes.txt:2: port 'port' is not an integer in 1..65535");
  EXPECT_EQ(refusal("host,port\n"), "nodes.txt:1: port 'port' is not an integer in 1..65535");
}

TEST(NodeList, RefusesWhatIsNoPort) {
  for (const std::string port : {"", "0", "65536", "-1", "+1", "1.0", "1e3", "x", "9090 9091"}) {
    EXPECT_EQ(refusal("a," + port),
              "nodes.txt:1: port '" + port + "' is not an integer in 1..65535");
  }
}

TEST(NodeList, RefusesWhatIsNoHost) {
  EXPECT_EQ(refusal(" ,1"), "nodes.txt:1: ',1' has no host; host,port is expected");
  EXPECT_EQ(refusal("a b,1"),
            "nodes.txt:1: host 'a b' has a blank or another character that no host name has");
  EXPECT_EQ(
      refusal("a\xC3\xBC,1"),
      "nodes.txt:1: host 'a\\xc3\\xbc' has a blank or another character that no host name has");
  EXPECT_EQ(refusal("# nodes\n" + std::string(254, 'x') + ",1"),
            "nodes.txt:2: host '" + std::string(40, 'x') +
                "...' has 254 characters; at most 253 are allowed");
  EXPECT_EQ(parse_node_list(std::string(253, 'x') + ",1", "nodes.txt").nodes.size(), 1);
}

}  // namespace
}  // namespace gradmill::formats
