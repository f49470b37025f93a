// What the client's verbs show and change on a real cluster, and the logs of the servers.

#include <signal.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

std::set<std::string> events_of(const json& log) {
  std::set<std::string> events;
  for (const json& event : log) {
    events.insert(event.at("event").get<std::string>());
  }
  return events;
}

TEST(JobVerbs, ShowWhatHappenedToAJob) {
  const Cluster cluster;
  const std::string hash = hash_of(cluster.train(with(short_job(), {"--id", "one"})));
  ASSERT_EQ(hash.size(), 64U) << hash;
  ASSERT_EQ(hash_of(cluster.train(with(short_job(), {"--id", "two"}))), hash);

  const json list = cluster.ask({"job", "list"});
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].at("job_id"), "two") << "the newest comes first";
  EXPECT_EQ(list[1].at("state"), "succeeded");
  EXPECT_EQ(list[1].at("round"), 2);
  EXPECT_EQ(cluster.ask({"job", "ls", "--limit", "1"}).size(), 1U);

  const json shown = cluster.ask({"job", "show", "latest"});
  EXPECT_EQ(shown.at("job_id"), "two");
  EXPECT_EQ(shown.at("round"), 2) << "as in the list";
  EXPECT_EQ(shown.at("parameters_sha256"), hash);
  EXPECT_EQ(shown.at("specification").at("epochs"), 10);

  const json log = cluster.ask({"job", "logs", "one"});
  const std::set<std::string> events = events_of(log);
  for (const char* const event : {"submitted", "started", "round_finished", "succeeded"}) {
    EXPECT_TRUE(events.contains(event)) << event << ": " << log;
  }
  const Ended followed = cluster.client({"job", "logs", "one", "--follow", "--format", "json"});
  EXPECT_EQ(followed.code, 0);
  std::istringstream lines(followed.out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(json::parse(line), log.at(count));
  }
  EXPECT_EQ(count, log.size());
}

TEST(JobVerbs, TheProfileSaysWhereAllOfTheTimeWent) {
  const Cluster cluster;
  ASSERT_EQ(hash_of(cluster.train(with(short_job(), {"--id", "one"}))).size(), 64U);
  const Folder folder;
  const json profile = cluster.ask({"job", "show", "one", "--plot", folder.path("one.svg")});
  ASSERT_EQ(profile.at("rounds").size(), 2U);
  EXPECT_NEAR(
      profile.at("compute_share").get<double>() + profile.at("transfer_share").get<double>() +
          profile.at("aggregate_share").get<double>() + profile.at("wait_share").get<double>(),
      1,
      1e-9);
  EXPECT_GT(profile.at("speedup"), 0);
  EXPECT_GT(profile.at("baseline_rows_per_s"), 0);
  // All rows of the letters' training shards, 10 times in each of 2 rounds.
  EXPECT_EQ(profile.at("rows"), 16500 * 10 * 2);
  std::ifstream plot(folder.path("one.svg"));
  std::stringstream svg;
  svg << plot.rdbuf();
  EXPECT_NE(svg.str().find("</svg>"), std::string::npos);

  const Ended table = cluster.client({"job", "show", "one", "--profile"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("speed-up "), std::string::npos) << table.out;
  EXPECT_EQ(cluster.client({"job", "show", "one", "--plot", "one.png"}).code, 2);
  EXPECT_EQ(cluster.client({"job", "show", "none", "--profile"}).code, 6);
}

TEST(JobVerbs, OutputWritesTheModelThatTrainingWrote) {
  const Folder folder;
  Cluster cluster;
  const std::string trained = folder.path("trained.safetensors");
  ASSERT_EQ(cluster.train(with(short_job(), {"--id", "one", "--output", trained})).code, 0);
  cluster.restart_coordinator();
  const std::string asked = folder.path("asked.safetensors");
  const json output = cluster.ask({"job", "output", "latest", "--output", asked});
  EXPECT_EQ(output.at("round"), 2);
  EXPECT_EQ(std::filesystem::file_size(asked), std::filesystem::file_size(trained));
  EXPECT_EQ(hash_of(cluster.train(with(short_job(), {"--init-from", asked}))),
            hash_of(cluster.train(with(short_job(), {"--init-from", trained}))));
  const std::string npz = folder.path("asked.npz");
  EXPECT_EQ(cluster.ask({"job", "output", "one", "--output", npz}).at("output"), npz);
  EXPECT_EQ(hash_of(cluster.train(with(short_job(), {"--init-from", npz}))),
            hash_of(cluster.train(with(short_job(), {"--init-from", trained}))));
}

TEST(JobVerbs, DeleteAndGcLeaveNothingOfAJobBehind) {
  Cluster cluster;
  for (const char* const id : {"one", "two", "three"}) {
    ASSERT_EQ(cluster.train(with(short_job(), {"--id", id})).code, 0);
  }
  EXPECT_EQ(cluster.ask({"job", "delete", "one"}).at("deleted"), true);
  EXPECT_EQ(cluster.client({"job", "show", "one"}).code, 6);
  const json would = cluster.ask({"gc", "--dry-run", "--keep-jobs", "1"});
  EXPECT_EQ(would.at("jobs"), json::array({"two"}));
  EXPECT_EQ(cluster.ask({"job", "list"}).size(), 2U);
  const json done = cluster.ask({"gc", "--keep-jobs", "1"});
  EXPECT_EQ(done.at("jobs"), json::array({"two"}));
  EXPECT_EQ(done.at("files"), json::array()) << "the third job needs the data";
  EXPECT_EQ(cluster.ask({"job", "list"}).size(), 1U);
  EXPECT_EQ(cluster.ask({"job", "rm", "three"}).at("deleted"), true);
  EXPECT_EQ(cluster.ask({"gc"}).at("files").size(), 12U) << "shards of no job";
  EXPECT_TRUE(std::filesystem::is_empty(cluster.state_folder() + "/jobs"));
  EXPECT_TRUE(std::filesystem::is_empty(cluster.state_folder() + "/shards"));
  cluster.restart_coordinator();
  EXPECT_EQ(cluster.ask({"job", "list"}), json::array());
}

TEST(JobVerbs, GcKeepsAsManyEndedJobsAsTheCoordinatorWasTold) {
  Cluster::Options options;
  options.coordinator_options = {"--keep-jobs", "2"};
  const Cluster cluster(options);
  for (const char* const id : {"one", "two", "three"}) {
    ASSERT_EQ(cluster.train(with(short_job(), {"--id", id})).code, 0);
  }
  EXPECT_EQ(cluster.ask({"job", "list"}).size(), 3U) << "followers have a minute to hear";
  static_cast<void>(cluster.ask({"gc"}));
  const json list = cluster.ask({"job", "list"});
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[1].at("job_id"), "two");
}

TEST(JobVerbs, WhoAsksForWhatIsNotThereGetsSix) {
  const Cluster cluster;
  const std::string nobody = "127.0.0.1:1";
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"job", "show", "nobody"},
                                             {"job", "logs", "nobody"},
                                             {"job", "follow", "nobody"},
                                             {"job", "cancel", "nobody"},
                                             {"job", "pause", "nobody"},
                                             {"job", "resume", "nobody"},
                                             {"job", "delete", "nobody"},
                                             {"job", "show", "latest"},
                                             {"job", "output", "nobody", "--output", "m.npz"},
                                             {"node", "stats", nobody},
                                             {"node", "leave", nobody}}) {
    const Ended answer = cluster.client(words);
    EXPECT_EQ(answer.code, 6) << words[0] << ' ' << words[1] << ": " << answer.err;
    EXPECT_EQ(std::count(answer.err.begin(), answer.err.end(), '\n'), 1) << answer.err;
  }
}

TEST(JobVerbs, AnIdIsOfOneSpecification) {
  const Cluster cluster;
  ASSERT_EQ(cluster.train(with(short_job(), {"--id", "one"})).code, 0);
  std::vector<std::string> other = short_job();
  other[1] = "3";
  const Ended refused = cluster.train(with(other, {"--id", "one"}));
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("another specification"), std::string::npos) << refused.err;
}

void expect_json_lines(const std::string& log, const std::set<std::string>& expected) {
  std::istringstream lines(log);
  std::set<std::string> events;
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line, nullptr, false);
    ASSERT_TRUE(event.is_object()) << line;
    for (const char* const name : {"time", "level", "program", "event", "message"}) {
      EXPECT_TRUE(event.contains(name)) << name << ": " << line;
    }
    events.insert(event.value("event", ""));
  }
  for (const std::string& event : expected) {
    EXPECT_TRUE(events.contains(event)) << event << " is not in\n" << log;
  }
}

TEST(JsonLogs, HaveAnObjectALine) {
  Cluster::Options options;
  options.node_options = {"--log-format", "json"};
  options.coordinator_options = {"--log-format", "json"};
  Cluster cluster(options);
  Process client(command("client", cluster.train_words(many_rounds())));
  ASSERT_TRUE(client.says("round 2/", seconds(60))) << client.err();
  cluster.node(0).signal(SIGKILL);
  ASSERT_EQ(cluster.node(0).wait(seconds(5)), 128 + SIGKILL);
  ASSERT_TRUE(cluster.coordinator().says("\"node_failed\"", seconds(10)));
  cluster.restart_node(0);
  EXPECT_EQ(finish(client).size(), 64U) << client.err();
  cluster.coordinator().signal(SIGTERM);
  cluster.node(1).signal(SIGTERM);
  EXPECT_EQ(cluster.coordinator().wait(seconds(5)), 0);
  EXPECT_EQ(cluster.node(1).wait(seconds(5)), 0);
  expect_json_lines(
      cluster.coordinator().err(),
      {"listening", "node_alive", "node_failed", "submitted", "round_finished", "succeeded"});
  expect_json_lines(cluster.node(1).err(), {"listening", "kernel_chosen"});
}

}  // namespace
}  // namespace gradmill::system_test
