#include "client/commands/node_commands.h"

#include <atomic>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/fake_link.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

NodeStatus healthy() {
  NodeStatus node;
  node.address = {"10.0.0.1", 9001};
  node.state = NodeState::kAlive;
  node.source = NodeSource::kJoined;
  node.incarnation = "abc";
  node.slots = 2;
  node.running = 1;
  node.heard_ago = std::chrono::milliseconds(230);
  node.uptime = std::chrono::minutes(90);
  node.tasks = 17;
  node.refused = 3;
  node.failed = 2;
  node.copies = 1;
  node.heartbeats_missed = 4;
  node.false_suspicions = 5;
  node.bytes_sent = 1'500'000;
  node.bytes_received = 999;
  node.member_since_ms = 1'700'000'000'000;
  node.answered_ago = std::chrono::milliseconds(1500);
  node.doing = {{.job = "t",
                 .predicts = false,
                 .round = 3,
                 .shard = 4,
                 .begun = true,
                 .offered_ago = std::chrono::milliseconds(250)},
                {.job = "p",
                 .predicts = true,
                 .round = 1,
                 .shard = 0,
                 .begun = false,
                 .offered_ago = std::chrono::milliseconds(1)}};
  return node;
}

NodeStatus lost() {
  NodeStatus node;
  node.address = {"h", 1};
  node.trouble = "connection refused";
  return node;
}

class NodeCommandsTest : public testing::Test {
 protected:
  NodeCommandsTest() { link_.all_nodes = {healthy(), lost()}; }
  int run(const Request& request) {
    out_.str("");
    link_.calls.clear();
    return client::run(request, link_, {out_, err_, 0, interrupted_});
  }
  nlohmann::json json() const { return nlohmann::json::parse(out_.str()); }

  FakeLink link_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::atomic<bool> interrupted_ = false;
};

TEST_F(NodeCommandsTest, ListsHowNodesStand) {
  ListNodesRequest request;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str(),
            "NODE           STATE   SOURCE  SLOTS  RUNNING      HEARD  TROUBLE\n"
            "10.0.0.1:9001  alive   joined      2        1  0.2 s ago  -\n"
            "h:1            failed  listed      1        0      never  connection refused\n");
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json()[0],
            (nlohmann::json{{"node", "10.0.0.1:9001"},
                            {"state", "alive"},
                            {"source", "joined"},
                            {"slots", 2},
                            {"running", 1},
                            {"heard_seconds_ago", 0.23},
                            {"trouble", ""},
                            {"incarnation", "abc"}}));
  EXPECT_TRUE(json()[1].at("heard_seconds_ago").is_null());
}

TEST_F(NodeCommandsTest, ListsWhatNodesWorkOn) {
  ListNodesRequest request;
  request.tasks = true;
  EXPECT_EQ(run(request), 0);
  const std::string since = local_time_text(1'700'000'000'000);
  EXPECT_EQ(
      out_.str(),
      "NODE           STATE   MEMBER SINCE         LAST QUERY  JOB  TASK                 FOR\n"
      "10.0.0.1:9001  alive   " +
          since +
          "   1.5 s ago  t    round 3 shard 5   250 ms\n"
          "10.0.0.1:9001  alive   " +
          since +
          "   1.5 s ago  p    batch 1          1.00 ms\n"
          "h:1            failed  " +
          local_time_text(0) + "       never  -    -                      -\n");
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json()[0],
            (nlohmann::json{{"node", "10.0.0.1:9001"},
                            {"state", "alive"},
                            {"member_since", "2023-11-14T22:13:20.000Z"},
                            {"last_query_seconds_ago", 1.5},
                            {"tasks",
                             {{{"job_id", "t"},
                               {"kind", "training"},
                               {"round", 3},
                               {"shard", 5},
                               {"begun", true},
                               {"seconds", 0.25}},
                              {{"job_id", "p"},
                               {"kind", "prediction"},
                               {"round", 1},
                               {"shard", 1},
                               {"begun", false},
                               {"seconds", 0.001}}}}}));
  EXPECT_TRUE(json()[1].at("last_query_seconds_ago").is_null());
  EXPECT_EQ(json()[1].at("tasks"), nlohmann::json::array());
}

TEST_F(NodeCommandsTest, StatsAreOfAllNodesOrOfOne) {
  NodeStatsRequest request;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str().find(
                "NODE           TASKS  REFUSED  FAILED  COPIES  MISSED  FALSE    SENT  RECEIVED  "
                "UPTIME\n"
                "10.0.0.1:9001     17        3       2       1       4      5  1.5 MB     999 B   "
                "1.5 h\n"),
            0U)
      << out_.str();
  request.node = Address{"10.0.0.1", 9001};
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json(),
            (nlohmann::json{{"node", "10.0.0.1:9001"},
                            {"tasks", 17},
                            {"refused", 3},
                            {"failed", 2},
                            {"copies", 1},
                            {"heartbeats_missed", 4},
                            {"false_suspicions", 5},
                            {"bytes_sent", 1'500'000},
                            {"bytes_received", 999},
                            {"uptime_seconds", 5400.0}}));
  request.format = Format::kText;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(out_.str().find("h:1"), std::string::npos);
  request.node = Address{"10.0.0.1", 9002};
  try {
    static_cast<void>(run(request));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_EQ(std::string(error.what()), "there is no node 10.0.0.1:9002; see client node list");
  }
}

TEST_F(NodeCommandsTest, JoinShowsTheNode) {
  link_.node_answers = {lost()};
  JoinNodeRequest request;
  request.node = {"h", 1};
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, std::vector<std::string>{"add h:1"});
  EXPECT_NE(out_.str().find("h:1   failed"), std::string::npos) << out_.str();
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(json().at("node"), "h:1");
}

TEST_F(NodeCommandsTest, LeaveWaitsUntilTheNodeHasNoTasks) {
  NodeStatus busy = healthy();
  busy.state = NodeState::kLeft;
  NodeStatus idle = busy;
  idle.running = 0;
  link_.node_answers = {busy, busy, idle};
  LeaveNodeRequest request;
  request.node = busy.address;
  request.format = Format::kJson;
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(link_.calls, std::vector<std::string>(3, "remove 10.0.0.1:9001 1000"));
  EXPECT_EQ(json().at("state"), "left");
  EXPECT_EQ(err_.str(), "client: node 10.0.0.1:9001 finishes 1 tasks\n");
}

TEST_F(NodeCommandsTest, TheUserMayLeaveANodeToItsTasks) {
  link_.node_answers = {healthy()};
  interrupted_ = true;
  LeaveNodeRequest request;
  EXPECT_EQ(run(request), 130);
  EXPECT_EQ(out_.str(), "");
}

}  // namespace
}  // namespace gradmill::client
