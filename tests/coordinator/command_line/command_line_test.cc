#include "coordinator/command_line/command_line.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

std::string refusal(const std::vector<std::string>& words) {
  try {
    static_cast<void>(parse_command_line(words));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  return "accepted";
}

TEST(CoordinatorCommandLine, SaysWhatIsServed) {
  const auto request = parse_command_line({"7070",
                                           "random",
                                           "--host",
                                           "127.0.0.2",
                                           "--nodes",
                                           "list",
                                           "--suspect-after",
                                           "2s",
                                           "--state-dir",
                                           "state"});
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->listen, (Address{"127.0.0.2", 7070}));
  EXPECT_EQ(request->node_list, "list");
  EXPECT_TRUE(request->node_list_given);
  EXPECT_EQ(request->state_folder, "state");
  EXPECT_EQ(request->options.scheduler.detection.suspect_after, std::chrono::seconds(2));
}

TEST(CoordinatorCommandLine, EveryPolicyHasItsNames) {
  for (const char* const name : {"1", "random", "2", "load-balancing", "3", "round-robin"}) {
    EXPECT_TRUE(parse_command_line({"0", name})->policy != nullptr) << name;
  }
}

TEST(CoordinatorCommandLine, APolicyCannotGarbleItsMessage) {
  EXPECT_EQ(refusal({"0", "\x1b[2J\n"}),
            "<policy>: '?[2J?' is not 1 or random or 2 or load-balancing or 3 or round-robin");
}

}  // namespace
}  // namespace gradmill::coordinator
