#include "client/request/fault_request.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::client {
namespace {

using Words = std::vector<std::string>;

/// Words of `client fault` with a coordinator.
Words at(const Words& more) {
  Words words = {"fault"};
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), {"--coordinator", "host:9000"});
  return words;
}

SetFaultsRequest set(const Words& more) {
  Words words = {"set"};
  words.insert(words.end(), more.begin(), more.end());
  return std::get<SetFaultsRequest>(parse_request(at(words)).value());
}

std::string refusal(const Words& words) {
  try {
    static_cast<void>(parse_request(at(words)));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

TEST(FaultRequest, ReadsEveryFault) {
  const SetFaultsRequest request = set({"h:9001",
                                        "--drop-requests",
                                        "0.1",
                                        "--drop-replies=0.2",
                                        "--delay-ms",
                                        "30",
                                        "--corrupt",
                                        "0.4",
                                        "--slow",
                                        "5",
                                        "--crash-after",
                                        "6"});
  EXPECT_EQ(request.coordinator.text(), "host:9000");
  EXPECT_EQ(request.target, (FaultTarget{FaultScope::kNode, {"h", 9001}}));
  EXPECT_EQ(request.faults,
            (FaultSettings{.drop_requests = 0.1,
                           .drop_replies = 0.2,
                           .delay = std::chrono::milliseconds(30),
                           .corrupt = 0.4,
                           .slow = 5,
                           .crash_after = 6}));
}

TEST(FaultRequest, APresetDropsRequestsAndRepliesAndOtherOptionsWin) {
  for (const auto& [name, share] :
       {std::pair("low", 0.03), std::pair("mid", 0.3), std::pair("high", 0.9)}) {
    const FaultSettings expected{.drop_requests = share, .drop_replies = share};
    EXPECT_EQ(set({"all", name}).faults, expected);
    EXPECT_EQ(set({"--preset", name, "all"}).faults, expected);
  }
  EXPECT_EQ(set({"all", "mid", "--drop-replies", "0"}).faults,
            (FaultSettings{.drop_requests = 0.3}));
}

TEST(FaultRequest, TargetsAreANodeAllNodesOrTheCoordinator) {
  EXPECT_EQ(set({"all", "low"}).target.scope, FaultScope::kAllNodes);
  EXPECT_EQ(set({"coordinator", "low"}).target.scope, FaultScope::kCoordinator);
  const auto clear = [](const Words& words) {
    return std::get<ClearFaultsRequest>(parse_request(at(words)).value()).target;
  };
  EXPECT_EQ(clear({"clear"}).scope, FaultScope::kAllNodes);
  EXPECT_EQ(clear({"clear", "h:1"}), (FaultTarget{FaultScope::kNode, {"h", 1}}));
  EXPECT_EQ(clear({"clear", "coordinator"}).scope, FaultScope::kCoordinator);
  EXPECT_TRUE(std::holds_alternative<ListFaultsRequest>(parse_request(at({"list"})).value()));
  EXPECT_TRUE(std::holds_alternative<ListFaultsRequest>(parse_request(at({"ls"})).value()));
}

TEST(FaultRequest, NamesWhatIsWrong) {
  const std::vector<std::pair<Words, std::string>> wrong = {
      {{"break"}, "fault: 'break' is none of set, clear, list; see client fault --help"},
      {{"set"}, "<node> is missing; see client fault set --help"},
      {{"set", "all"},
       "no fault is given; try client fault set NODE mid, or client fault clear NODE"},
      {{"set", "all", "--slow", "1"},
       "no fault is given; try client fault set NODE mid, or client fault clear NODE"},
      {{"set", "all", "mid", "--preset", "low"}, "--preset does not go with the preset 'mid'"},
      {{"set", "coordinator", "--corrupt", "0.1"},
       "--corrupt goes with nodes only, not with the coordinator"},
      {{"set", "coordinator", "--slow", "2"},
       "--slow goes with nodes only, not with the coordinator"},
  };
  for (const auto& [words, message] : wrong) {
    EXPECT_EQ(refusal(words), message);
  }
  const std::vector<std::pair<Words, std::string>> named = {
      {{"set", "nobody", "mid"}, "<node>: 'nobody' is not HOST:PORT, all or coordinator"},
      {{"set", "all", "worst"}, "<preset>: 'worst'"},
      {{"set", "all", "--preset", "worst"}, "--preset: 'worst'"},
      {{"set", "all", "--drop-requests", "1.1"}, "--drop-requests: '1.1'"},
      {{"set", "all", "--drop-replies", "-0.1"}, "--drop-replies: '-0.1'"},
      {{"set", "all", "--corrupt", "nan"}, "--corrupt: 'nan'"},
      {{"set", "all", "--delay-ms", "60001"}, "--delay-ms: '60001'"},
      {{"set", "all", "--slow", "0.5"}, "--slow: '0.5'"},
      {{"set", "all", "--crash-after", "0"}, "--crash-after: '0'"},
      {{"set", "all", "--explode", "1"}, "--explode"},
  };
  for (const auto& [words, part] : named) {
    EXPECT_NE(refusal(words).find(part), std::string::npos) << refusal(words);
  }
}

}  // namespace
}  // namespace gradmill::client
