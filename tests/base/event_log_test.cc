#include "base/event_log.h"

#include <functional>
#include <limits>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace gradmill {
namespace {

using Json = nlohmann::json;

// What `act` writes to stderr in this format.
template <class F>
std::string logged(LogFormat format, const F& act) {
  start_log("coordinator");
  set_log_format(format);
  testing::internal::CaptureStderr();
  act();
  std::string text = testing::internal::GetCapturedStderr();
  set_log_format(LogFormat::kText);
  return text;
}

std::string as_text(const LogEvent& event) {
  return logged(LogFormat::kText, [&] { log_event(event); });
}

// Parses strictly, and sees that it was one line.
Json as_json(const LogEvent& event) {
  const std::string line = logged(LogFormat::kJson, [&] { log_event(event); });
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return Json::parse(line);
}

LogEvent task_failed() {
  return {.level = LogLevel::kWarning,
          .event = "task_failed",
          .fields = {{"job", "x"},
                     {"round", std::uint32_t{3}},
                     {"shard", 2},
                     {"attempt", std::numeric_limits<std::uint64_t>::max()},
                     {"node", "127.0.0.1:5001"},
                     {"reason", "connection_lost"}},
          .message = "closed the connection"};
}

TEST(EventLog, TextNamesTheEventAndItsFields) {
  EXPECT_EQ(as_text(task_failed()),
            "coordinator: warning task_failed job=x round=3 shard=2 attempt=18446744073709551615 "
            "node=127.0.0.1:5001 reason=connection_lost: closed the connection\n");
  EXPECT_EQ(as_text({.event = "node_up", .fields = {{"seconds", 0.25}, {"again", true}}}),
            "coordinator: info node_up seconds=0.25 again=true\n");
}

TEST(EventLog, TextOfALineForPeopleIsTheMessageAlone) {
  EXPECT_EQ(as_text({.message = "ready"}), "coordinator: ready\n");
  EXPECT_EQ(as_text({.level = LogLevel::kError,
                     .event = "listening",
                     .fields = {{"address", "h:1"}},
                     .message = "listening on h:1",
                     .plain = true}),
            "coordinator: listening on h:1\n");
}

TEST(EventLog, TimedTextHasTheTimeOfDay) {
  for (const auto& act : {std::function([] { log_event(task_failed()); }),
                          std::function([] { log_event({.message = "ready"}); }),
                          std::function([] { spdlog::warn("ready"); })}) {
    std::string line = logged(LogFormat::kTimedText, act);
    EXPECT_THAT(line, testing::MatchesRegex("coordinator: [0-2][0-9]:[0-5][0-9]:[0-6][0-9] .*\n"));
    EXPECT_EQ(line.erase(13, 9), logged(LogFormat::kText, act));
  }
  const auto listening = [] { log_event({.message = "listening on h:1", .plain = true}); };
  EXPECT_EQ(logged(LogFormat::kTimedText, listening), "coordinator: listening on h:1\n")
      << "others wait for it";
}

TEST(EventLog, TextQuotesValuesThatCouldMislead) {
  EXPECT_EQ(as_text({.event = "e",
                     .fields = {{"a", ""},
                                {"b", "two words"},
                                {"c", "x\ny=\"z\""},
                                {"d", "\x1b[2J\x7f"},
                                {"e", "caf\u00e9"},
                                {"f", "\xff"}}}),
            "coordinator: info e a=\"\" b=\"two words\" c=\"x\\ny=\\\"z\\\"\" "
            "d=\"\\u001b[2J\\u007f\" e=\"caf\\u00e9\" f=\"\\ufffd\"\n");
}

TEST(EventLog, TextKeepsMessagesOnOneLine) {
  EXPECT_EQ(as_text({.event = "e", .message = "a\nb\r\x1b[1m \u009b2J caf\u00e9"}),
            "coordinator: info e: a?b??[1m \xc2?2J caf\u00e9\n");
  EXPECT_EQ(logged(LogFormat::kText, [] { spdlog::warn("{}", "a\nb"); }), "coordinator: a?b\n");
}

TEST(EventLog, JsonHasTheFieldsWithTheirTypes) {
  const Json line = as_json(task_failed());
  EXPECT_THAT(line.at("time").get<std::string>(),
              testing::MatchesRegex(
                  "20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9][.][0-9]"
                  "[0-9][0-9]Z"));
  Json expected = {{"level", "warning"},
                   {"program", "coordinator"},
                   {"event", "task_failed"},
                   {"job", "x"},
                   {"round", 3},
                   {"shard", 2},
                   {"attempt", std::numeric_limits<std::uint64_t>::max()},
                   {"node", "127.0.0.1:5001"},
                   {"reason", "connection_lost"},
                   {"message", "closed the connection"}};
  expected["time"] = line.at("time");
  EXPECT_EQ(line, expected);
}

TEST(EventLog, JsonKeepsTheOrderAndBeginsWithTheTime) {
  const std::string line = logged(LogFormat::kJson, [] { log_event(task_failed()); });
  EXPECT_THAT(line, testing::StartsWith(R"({"time":"20)"));
  EXPECT_THAT(line,
              testing::HasSubstr(R"(,"level":"warning","program":"coordinator",)"
                                 R"("event":"task_failed","job":"x","round":3,"shard":2,)"));
  EXPECT_THAT(line, testing::EndsWith(",\"message\":\"closed the connection\"}\n"));
}

TEST(EventLog, JsonSurvivesAnyBytes) {
  std::string all;
  for (int c = 0; c < 256; ++c) {
    all += static_cast<char>(c);
  }
  const Json line = as_json({.event = "e", .fields = {{"value", all}}, .message = all});
  EXPECT_EQ(line.at("value"), line.at("message"));
  EXPECT_THAT(line.at("message").get<std::string>(), testing::EndsWith("\uFFFD"));
  EXPECT_EQ(line.at("message").get<std::string>().substr(0, 128), all.substr(0, 128));
  const Json odd =
      as_json({.event = "e", .fields = {{"x", std::numeric_limits<double>::quiet_NaN()}}});
  EXPECT_TRUE(odd.at("x").is_null());
}

TEST(EventLog, JsonOfOtherLinesIsAnEventCalledLog) {
  const std::string line =
      logged(LogFormat::kJson, [] { spdlog::warn("{}", "{\"not\": \"ours\"}\n\xff"); });
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Json parsed = Json::parse(line);
  EXPECT_EQ(parsed.at("event"), "log");
  EXPECT_EQ(parsed.at("level"), "warning");
  EXPECT_EQ(parsed.at("message"), "{\"not\": \"ours\"}\n\uFFFD");
  EXPECT_EQ(as_json({.message = "plain"}).at("event"), "log");
}

TEST(EventLog, LinesOfManyThreadsDoNotMix) {
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  const std::string text = logged(LogFormat::kJson, [] {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int n = 0; n < kLines; ++n) {
          log_event({.event = "e", .fields = {{"thread", t}, {"n", n}}});
          spdlog::info("thread {}", t);
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  });
  std::istringstream lines(text);
  std::vector<int> next(kThreads);
  int others = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json parsed = Json::parse(line);
    if (parsed.at("event") == "e") {
      EXPECT_EQ(parsed.at("n"), next.at(parsed.at("thread"))++);
    } else {
      ++others;
    }
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kLines));
  EXPECT_EQ(others, kThreads * kLines);
}

}  // namespace
}  // namespace gradmill
