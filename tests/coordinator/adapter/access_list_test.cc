#include "coordinator/adapter/access_list.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

const AccessList kList({"n1", "both"}, {"eve=viewer", "oscar=operator", "both=viewer"});

/// Why `name` may not; empty if it may.
std::string refusal(const std::string& name, Right right) {
  try {
    kList.check(name, right);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotAllowed);
    return error.what();
  }
}

TEST(AccessList, AnOperatorMayDoEverything) {
  for (const Right right : {Right::kView, Right::kOperate, Right::kJoin}) {
    EXPECT_EQ(refusal("oscar", right), "");
  }
}

TEST(AccessList, AViewerMayLook) {
  EXPECT_EQ(refusal("eve", Right::kView), "");
  EXPECT_EQ(refusal("eve", Right::kOperate),
            "'eve' has the role viewer; this takes the role operator");
  EXPECT_EQ(refusal("eve", Right::kJoin),
            "'eve' may not announce a node: --tls-nodes of the coordinator lacks it");
}

TEST(AccessList, ANodeMayJoin) {
  EXPECT_EQ(refusal("n1", Right::kJoin), "");
  EXPECT_EQ(refusal("n1", Right::kView), "'n1' is a node; this takes the role viewer or operator");
  EXPECT_EQ(refusal("n1", Right::kOperate), "'n1' is a node; this takes the role operator");
}

TEST(AccessList, ANameMayBeOnBothLists) {
  EXPECT_EQ(refusal("both", Right::kJoin), "");
  EXPECT_EQ(refusal("both", Right::kView), "");
  EXPECT_NE(refusal("both", Right::kOperate), "");
}

TEST(AccessList, OthersMayNothing) {
  for (const char* const name : {"", "mallory", "EVE", "eve "}) {
    for (const Right right : {Right::kView, Right::kOperate, Right::kJoin}) {
      EXPECT_NE(refusal(name, right), "") << name;
    }
    EXPECT_THROW(kList.check_known(name), Error) << name;
  }
}

TEST(AccessList, RefusesUsersWithoutARole) {
  for (const char* const user : {"eve", "eve=", "=viewer", "eve=root", "eve=Viewer"}) {
    EXPECT_THROW(AccessList({}, {user}), Error) << user;
  }
  EXPECT_THROW(AccessList({}, {"eve=viewer", "eve=operator"}), Error);
}

}  // namespace
}  // namespace gradmill::coordinator
