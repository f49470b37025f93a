// Modes of scheduling, and what a job is told of it.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/cluster.h"

namespace gradmill::system_test {
namespace {

using std::chrono::seconds;
using Tasks = std::map<std::string, std::uint64_t>;
using Nodes = std::set<std::string>;

/// Every task takes 20 ms at least, so that jobs last however fast the machine is.
Cluster::Options steady_nodes() {
  Cluster::Options options;
  options.policy = "round-robin";
  options.load = {"1", "1", "1", "1"};
  options.node_options = {"--load-delay", "20ms"};
  return options;
}

nlohmann::json explanation(const Cluster& cluster, const std::string& id) {
  return cluster.ask({"job", "show", id, "--explain"});
}

/// Results of each node that counted for the job.
Tasks tasks_of(const Cluster& cluster, const std::string& id) {
  Tasks tasks;
  const nlohmann::json shown = explanation(cluster, id);
  for (const nlohmann::json& node : shown.at("nodes")) {
    tasks[node.at("node")] = node.at("tasks");
  }
  return tasks;
}

/// Nodes that have results for the job which they had not `before`.
Nodes at_work(const Cluster& cluster, const std::string& id, const Tasks& before) {
  Nodes nodes;
  for (const auto& [node, tasks] : tasks_of(cluster, id)) {
    const auto known = before.find(node);
    if (tasks > (known == before.end() ? 0 : known->second)) {
      nodes.insert(node);
    }
  }
  return nodes;
}

/// Nodes that are, as an explanation says, other jobs'.
std::size_t foreign_to(const Cluster& cluster, const std::string& id) {
  const nlohmann::json shown = explanation(cluster, id);
  const nlohmann::json& nodes = shown.at("nodes");
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [](const nlohmann::json& node) {
        return node.at("reason") == "other_jobs_node";
      }));
}

/// A training job of some seconds, "train", and a prediction job, "predict", side by side.
class Scheduling : public testing::Test {
 protected:
  void SetUp() override {
    alone_ = hash_of(cluster_.train(recipe_));  // And there is a model to predict by.
    std::ostringstream rows;
    for (int copy = 0; copy < 4; ++copy) {
      rows << std::ifstream(std::string(GRADMILL_LETTERS) + "/validate_letters.txt").rdbuf()
           << '\n';
    }
    folder_.write("letters.csv", rows.str());
    ASSERT_TRUE(eventually([&] { return predict().code == 0; })) << predict().err;
    expected_ = predict().out;
    train_ = std::make_unique<Process>(
        command("client", cluster_.train_words(with(recipe_, {"--id", "train"}))));
    const Ended submitted = cluster_.client({"job",
                                             "submit",
                                             "predict",
                                             "--model",
                                             "letters",
                                             "--labelled",
                                             "--data",
                                             folder_.path("letters.csv"),
                                             "--batch-size",
                                             "10",
                                             "--id",
                                             "predict",
                                             "--no-wait"});
    ASSERT_EQ(submitted.code, 0) << submitted.err;
    ASSERT_TRUE(eventually([&] { return cluster_.client({"job", "show", "train"}).code == 0; }));
  }

  Ended predict() const {
    return cluster_.client(
        {"predict", "letters", "--labelled", "--file", folder_.path("letters.csv")});
  }
  /// The same bits as without the other job, and each row once.
  void expect_ends_as_alone() {
    EXPECT_EQ(finish(*train_), alone_) << train_->err();
    EXPECT_EQ(cluster_.client({"job", "follow", "predict"}).code, 0);
    EXPECT_TRUE(cluster_.client({"job", "output", "predict"}).out == expected_);
  }
  /// Whether both get results, the two of at least so many nodes together, within 6 s.
  bool both_go_on(std::size_t nodes) const {
    const Tasks trained = tasks_of(cluster_, "train");
    const Tasks predicted = tasks_of(cluster_, "predict");
    return eventually(
        [&] {
          const Nodes first = at_work(cluster_, "train", trained);
          const Nodes second = at_work(cluster_, "predict", predicted);
          Nodes all = first;
          all.insert(second.begin(), second.end());
          return !first.empty() && !second.empty() && all.size() >= nodes;
        },
        seconds(6));
  }
  /// Whether so many nodes are the other job's, for each of the two, within 6 s.
  bool is_split(std::size_t predicts, std::size_t trains) const {
    return eventually(
        [&] {
          return foreign_to(cluster_, "train") == predicts &&
                 foreign_to(cluster_, "predict") == trains;
        },
        seconds(6));
  }
  bool is_known_to_be_dead(std::size_t node) const {
    return eventually([&] { return cluster_.standing(node).at("state") == "failed"; });
  }

  const std::vector<std::string> recipe_ = {
      GRADMILL_LETTERS, "150", "1", "8", "0.0001", "--seed", "1", "--validate-every", "150"};
  const Folder folder_;
  Cluster cluster_{steady_nodes()};
  std::string alone_;     // The hash of the training job.
  std::string expected_;  // Of letters.csv.
  std::unique_ptr<Process> train_;
};

TEST_F(Scheduling, InLocalModeEachNodeWorksForOneJobAlsoAfterADeathWithTheSameResults) {
  EXPECT_EQ(cluster_.ask({"job", "scheduling"}).at("scheduling"), "global");
  EXPECT_EQ(cluster_.ask({"job", "scheduling", "local"}).at("scheduling"), "local");
  EXPECT_EQ(cluster_.ask({"job", "list"})[0].at("scheduling"), "local");
  EXPECT_TRUE(is_split(2, 2));
  EXPECT_TRUE(both_go_on(4));

  const auto killed = std::chrono::steady_clock::now();
  cluster_.node(3).signal(SIGKILL);
  ASSERT_TRUE(is_known_to_be_dead(3));
  const std::size_t trains = 3 - foreign_to(cluster_, "train");
  EXPECT_TRUE(trains == 1 || trains == 2);
  EXPECT_TRUE(is_split(3 - trains, trains));
  EXPECT_TRUE(both_go_on(3));
  EXPECT_LE(std::chrono::steady_clock::now() - killed, seconds(6));
  cluster_.restart_node(3);
  EXPECT_TRUE(is_split(2, 2));

  EXPECT_EQ(cluster_.ask({"job", "scheduling", "global"}).at("scheduling"), "global");
  const Tasks before = tasks_of(cluster_, "predict");
  EXPECT_TRUE(eventually([&] { return at_work(cluster_, "predict", before).size() == 4; }));
  expect_ends_as_alone();
}

TEST_F(Scheduling, InGlobalModeBothJobsGoOnAfterADeathWithTheSameResults) {
  EXPECT_TRUE(both_go_on(4));
  const auto killed = std::chrono::steady_clock::now();
  cluster_.node(0).signal(SIGKILL);
  ASSERT_TRUE(is_known_to_be_dead(0));
  EXPECT_TRUE(both_go_on(3));
  EXPECT_LE(std::chrono::steady_clock::now() - killed, seconds(6));
  const nlohmann::json shown = explanation(cluster_, "predict");
  EXPECT_EQ(shown.at("kind"), "prediction");
  ASSERT_EQ(shown.at("nodes").size(), 4U);
  EXPECT_EQ(shown.at("nodes")[0].at("reason"), "failed");
  EXPECT_TRUE(eventually(
      [&] {
        const nlohmann::json now = explanation(cluster_, "predict");
        const nlohmann::json& share = now.at("nodes")[1].at("recent_share");
        return share.is_number() && std::abs(share.get<double>() - 0.5) < 0.2;
      },
      seconds(6)));
  expect_ends_as_alone();
}

/// Seconds that the only task of a new prediction job waited until a node had it.
double first_wait(const Cluster& cluster, const std::string& rows, const std::string& id) {
  const Ended ended = cluster.client(
      {"job", "submit", "predict", "--model", "letters", "--data", rows, "--id", id});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const nlohmann::json tasks = cluster.ask({"job", "stats", id}).at("tasks");
  EXPECT_EQ(tasks.at("queries"), 1);
  return tasks.at("queue_seconds").at("mean");
}

TEST(SchedulingOfNewJobs, TheNextSlotThatFallsFreeIsTheirs) {
  Cluster::Options options = steady_nodes();
  options.node_options = {"--load-delay", "60ms"};
  Cluster cluster(options);
  ASSERT_EQ(cluster.train(short_job()).code, 0);
  const Folder folder;
  folder.write("rows.csv", "2,8,3,5,1,8,13,0,6,6,10,8,0,8,0,8\n");
  cluster.submit_endless_job("endless");
  ASSERT_TRUE(eventually([&] { return tasks_of(cluster, "endless").size() == 4; }));
  std::vector<double> waits;
  for (int n = 0; n < 9; ++n) {
    waits.push_back(first_wait(cluster, folder.path("rows.csv"), "new" + std::to_string(n)));
  }
  std::sort(waits.begin(), waits.end());
  EXPECT_LE(waits[4], 0.1) << "the slots are held for 60 ms each";
  EXPECT_EQ(cluster.client({"job", "cancel", "endless"}).code, 0);
}

TEST(SchedulingMode, OutlivesTheCoordinator) {
  Cluster cluster;
  ASSERT_EQ(cluster.ask({"job", "scheduling", "local"}).at("scheduling"), "local");
  cluster.restart_coordinator();
  EXPECT_EQ(cluster.ask({"job", "scheduling"}).at("scheduling"), "local");
  const Ended wrong = cluster.client({"job", "scheduling", "sideways"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(std::count(wrong.err.begin(), wrong.err.end(), '\n'), 1) << wrong.err;
  EXPECT_NE(wrong.err.find("'sideways' is neither global nor local"), std::string::npos);
}

TEST(SchedulingExplanation, TellsOfEachNode) {
  Cluster cluster(steady_nodes());
  cluster.submit_endless_job("one");
  cluster.node(2).signal(SIGKILL);
  ASSERT_TRUE(eventually([&] { return cluster.standing(2).at("state") == "failed"; }));
  ASSERT_TRUE(eventually([&] {
    const Tasks tasks = tasks_of(cluster, "one");
    return tasks.size() == 4 && tasks.at(cluster.node_address(0)) > 0;
  }));
  const nlohmann::json shown = explanation(cluster, "one");
  for (const nlohmann::json& node : shown.at("nodes")) {
    EXPECT_NE(node.at("message"), "");
    EXPECT_EQ(node.at("reason") == "", node.at("offers") > 0);
  }
  EXPECT_EQ(shown.at("nodes")[2].at("reason"), "failed");
  EXPECT_EQ(shown.at("nodes")[0].at("recent_share"), 1);
  EXPECT_EQ(cluster.client({"job", "show", "none", "--explain"}).code, 6);
  const Ended text = cluster.client({"job", "show", "one", "--explain"});
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.out.find("failed: "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("100 %"), std::string::npos) << text.out;
  EXPECT_EQ(cluster.client({"job", "cancel", "one"}).code, 0);
}

}  // namespace
}  // namespace gradmill::system_test
