#include "coordinator/service/event_quota.h"

#include <gtest/gtest.h>

namespace gradmill::coordinator {
namespace {

JobEvent event_of(const std::string& node) {
  JobEvent event;
  event.event = "task_failed";
  event.node = node;
  return event;
}

TEST(EventQuota, EndsWithANoteAndIsOfNodesAndOfOneJobAlone) {
  EventQuota quota;
  for (std::uint32_t n = 1; n < EventQuota::kNodeEventsMax; ++n) {
    JobEvent event = event_of("node:1");
    ASSERT_TRUE(quota.admit("job", event)) << n;
    ASSERT_EQ(event.event, "task_failed") << n;
  }
  JobEvent last = event_of("node:2");
  EXPECT_TRUE(quota.admit("job", last));
  EXPECT_EQ(last.event, "events_dropped");
  EXPECT_TRUE(last.warning);
  EXPECT_EQ(last.node, "");
  JobEvent late = event_of("node:1");
  EXPECT_FALSE(quota.admit("job", late));
  JobEvent of_no_node = event_of("");
  EXPECT_TRUE(quota.admit("job", of_no_node)) << "rounds and ends are always told";
  EXPECT_EQ(of_no_node.event, "task_failed");
  EXPECT_TRUE(quota.admit("another", late));
  quota.forget("job");
  EXPECT_TRUE(quota.admit("job", late));
  EXPECT_EQ(late.event, "task_failed");
}

}  // namespace
}  // namespace gradmill::coordinator
