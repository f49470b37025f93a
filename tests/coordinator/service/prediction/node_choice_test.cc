#include "coordinator/service/prediction/node_choice.h"

#include <gtest/gtest.h>

namespace gradmill::coordinator {
namespace {

const Digest kModel = sha256("model");
const Digest kOther = sha256("other");

TEST(NodeChoice, TakesNobodyWhoDoesNotServe) {
  NodeChoice choice(2);
  EXPECT_FALSE(choice.choose(kModel));
  EXPECT_FALSE(choice.has_node());
  choice.serves(3, "a");
  EXPECT_EQ(choice.choose(kModel), 3U);
  choice.pauses(3);
  EXPECT_FALSE(choice.choose(kModel));
  choice.serves(3, "a");
  choice.remove(3);
  EXPECT_FALSE(choice.choose(kModel));
  choice.pauses(7);  // Never heard of.
  choice.remove(7);
  EXPECT_FALSE(choice.has_node());
}

TEST(NodeChoice, PrefersWhoHoldsTheModelThenWhoHasFewestRows) {
  NodeChoice choice(2);
  choice.serves(0, "a");
  choice.serves(1, "b");
  choice.holds(1, kModel);
  EXPECT_EQ(choice.choose(kModel), 1U);
  EXPECT_EQ(choice.choose(kOther), 0U);
  choice.begin(1, 1000);
  EXPECT_EQ(choice.choose(kModel), 1U) << "it has room for another call";
  choice.begin(1, 1);
  EXPECT_EQ(choice.choose(kModel), 0U) << "and no more";
  choice.holds(0, kModel);
  choice.end(1, 1);
  EXPECT_EQ(choice.choose(kModel), 0U) << "it has no rows in progress";
  choice.begin(0, 2000);
  EXPECT_EQ(choice.choose(kModel), 1U);
}

TEST(NodeChoice, SharesOutWhatIsEqual) {
  NodeChoice choice(1);
  choice.serves(0, "a");
  choice.serves(1, "b");
  const auto next = [&] {
    const NodeId node = choice.choose(kModel).value();
    choice.begin(node, 1);
    choice.holds(node, kModel);
    choice.end(node, 1);
    return node;
  };
  EXPECT_EQ(next(), 0U);
  EXPECT_EQ(next(), 0U) << "the other lacks the model";
  choice.holds(1, kModel);
  EXPECT_EQ(next(), 1U);
  EXPECT_EQ(next(), 1U);
  EXPECT_EQ(next(), 0U);
}

TEST(NodeChoice, ANewProcessHoldsNothing) {
  NodeChoice choice(1);
  choice.serves(0, "a");
  choice.serves(1, "b");
  choice.holds(1, kModel);
  choice.serves(1, "b");
  EXPECT_EQ(choice.choose(kModel), 1U);
  choice.serves(1, "c");
  EXPECT_EQ(choice.choose(kModel), 0U);
}

TEST(NodeChoice, CallsOutliveTheirNode) {
  NodeChoice choice(1);
  choice.serves(0, "a");
  EXPECT_TRUE(choice.has_idle_node());
  choice.begin(0, 5);
  EXPECT_FALSE(choice.has_idle_node());
  EXPECT_TRUE(choice.has_node());
  choice.remove(0);
  EXPECT_TRUE(choice.has_calls());
  EXPECT_FALSE(choice.has_node());
  choice.end(0, 5);
  EXPECT_FALSE(choice.has_calls());
  choice.serves(0, "a");
  EXPECT_EQ(choice.choose(kModel), 0U);
}

}  // namespace
}  // namespace gradmill::coordinator
