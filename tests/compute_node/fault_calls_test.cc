// What of a node may go wrong on purpose, and what never does.
#include <gtest/gtest.h>

#include "compute_node/adapter/node_handler.h"

namespace gradmill::node {
namespace {

TEST(FaultCalls, AreThoseThatMoveWorkOn) {
  for (const char* const method :
       {"runTask", "pollTask", "putBlob", "getBlob", "predictRows", "putModel"}) {
    EXPECT_TRUE(is_task_call(method)) << method;
  }
  for (const char* const method : {"hello", "heartbeat", "cancelTask", "setFaults", "getFaults"}) {
    EXPECT_FALSE(is_task_call(method)) << method;
  }
}

}  // namespace
}  // namespace gradmill::node
