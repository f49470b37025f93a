#include "client/request/verb.h"

#include <stdlib.h>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "client/request/job_request.h"
#include "client/request/node_request.h"

namespace gradmill::client {
namespace {

using Words = std::vector<std::string>;

Words at(Words words) {
  words.insert(words.end(), {"--coordinator", "host:9000"});
  return words;
}

template <class R>
R read(const Words& words) {
  return std::get<R>(parse_request(words).value());
}

std::string refusal(const Words& words) {
  try {
    static_cast<void>(parse_request(words));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

TEST(Verb, EveryVerbOfAJobIsRead) {
  EXPECT_EQ(read<FollowJobRequest>(at({"job", "follow", "j"})).job, "j");
  EXPECT_EQ(read<ShowJobRequest>(at({"job", "show", "latest"})).job, "latest");
  EXPECT_EQ(read<JobStatsRequest>(at({"job", "stats", "latest"})).job, "latest");
  EXPECT_EQ(read<DeleteJobRequest>(at({"job", "delete", "j"})).job, "j");
  EXPECT_EQ(read<DeleteJobRequest>(at({"job", "rm", "j"})).job, "j");
  for (const auto& [verb, command] : {std::pair("cancel", JobCommand::kCancel),
                                      std::pair("pause", JobCommand::kPause),
                                      std::pair("resume", JobCommand::kResume)}) {
    const auto request = read<ControlJobRequest>(at({"job", verb, "j"}));
    EXPECT_EQ(request.job, "j");
    EXPECT_EQ(request.command, command);
  }
  EXPECT_EQ(read<ListJobsRequest>(at({"job", "list"})).limit, 20U);
  EXPECT_EQ(read<ListJobsRequest>(at({"job", "ls", "--limit", "0"})).limit, 0U);
  EXPECT_TRUE(read<ShowJobRequest>(at({"job", "show", "--explain", "j"})).explain);
  EXPECT_FALSE(read<SchedulingRequest>(at({"job", "scheduling"})).mode.has_value());
  EXPECT_EQ(read<SchedulingRequest>(at({"job", "scheduling", "local"})).mode,
            SchedulingMode::kLocal);
  EXPECT_FALSE(read<JobLogsRequest>(at({"job", "logs", "j"})).follow);
  EXPECT_TRUE(read<JobLogsRequest>(at({"job", "logs", "--follow", "j"})).follow);
  const auto output = read<JobOutputRequest>(at({"job", "output", "j", "--output", "m"}));
  EXPECT_EQ(output.job, "j");
  EXPECT_EQ(output.output, "m");
}

TEST(Verb, EveryVerbOfANodeIsRead) {
  EXPECT_EQ(read<ListNodesRequest>(at({"node", "list"})).coordinator.port, 9000);
  EXPECT_EQ(read<ListNodesRequest>(at({"node", "ls"})).coordinator.port, 9000);
  EXPECT_FALSE(read<NodeStatsRequest>(at({"node", "stats"})).node.has_value());
  EXPECT_EQ(read<NodeStatsRequest>(at({"node", "stats", "h:1"})).node, (Address{"h", 1}));
  EXPECT_EQ(read<JoinNodeRequest>(at({"node", "join", "h:1"})).node, (Address{"h", 1}));
  EXPECT_EQ(read<LeaveNodeRequest>(at({"node", "leave", "h:1"})).node, (Address{"h", 1}));
}

TEST(Verb, ARuleForGarbageIsWholeOrTheCoordinators) {
  EXPECT_FALSE(read<CollectGarbageRequest>(at({"gc"})).rule.has_value());
  EXPECT_TRUE(read<CollectGarbageRequest>(at({"gc", "--dry-run"})).dry_run);
  EXPECT_FALSE(read<CollectGarbageRequest>(at({"job", "gc"})).dry_run);
  const auto jobs = read<CollectGarbageRequest>(at({"gc", "--keep-jobs", "7"})).rule;
  EXPECT_EQ(jobs->jobs, 7U);
  EXPECT_EQ(jobs->age.count(), 0);
  const auto age = read<CollectGarbageRequest>(at({"gc", "--keep-for", "2min"})).rule;
  EXPECT_EQ(age->jobs, 0U);
  EXPECT_EQ(age->age.count(), 120'000);
}

TEST(Verb, CommonOptionsStandAnywhere) {
  for (const Words& words : {Words{"--coordinator", "h:1", "--format=json", "job", "show", "j"},
                             Words{"job", "--coordinator", "h:1", "--format", "json", "show", "j"},
                             Words{"job", "show", "--format=json", "--coordinator=h:1", "j"},
                             Words{"job", "show", "j", "--format=json", "--coordinator", "h:1"}}) {
    const auto request = read<ShowJobRequest>(words);
    EXPECT_EQ(request.job, "j");
    EXPECT_EQ(request.format, Format::kJson);
    EXPECT_EQ(request.coordinator.text(), "h:1");
    EXPECT_EQ(request.reconnect_timeout.count(), 60'000);
  }
  const Words values = {"--reconnect-timeout", "0s", "job", "--data", "list", "submit", "train"};
  const auto request = read<TrainRequest>(at([&] {
    Words words = values;
    words.insert(words.end(), {"--preset", "fast"});
    return words;
  }()));
  EXPECT_EQ(request.folder, "list");
  EXPECT_EQ(request.reconnect_timeout.count(), 0);
}

TEST(Verb, NamesWhatIsWrong) {
  ::unsetenv("GRADMILL_COORDINATOR");  // NOLINT(concurrency-mt-unsafe): before any thread
  const std::string of_jobs =
      "submit, list, show, stats, follow, logs, cancel, pause, resume, set, scheduling, output, "
      "delete, gc; see client job --help";
  const std::vector<std::pair<Words, std::string>> wrong = {
      {{"job"}, "job: what to do is missing: " + of_jobs},
      {at({"job"}), "job: what to do is missing: " + of_jobs},
      {{"job", "stop"}, "job: 'stop' is none of " + of_jobs},
      {{"node", "kill"},
       "node: 'kill' is none of list, stats, join, leave; see client node --help"},
      {{"jobs", "list"},
       "'jobs' is none of job, model, node, fault, gc, predict, <coordinator_ip>; see client "
       "--help"},
      {{"models"},
       "'models' is none of job, model, node, fault, gc, predict, <coordinator_ip>; see client "
       "--help"},
      {{"jobs", "show", "j"},
       "'jobs' is none of job, model, node, fault, gc, predict, <coordinator_ip>; see client "
       "--help"},
      {{"job", "list"}, "--coordinator HOST:PORT is missing (or GRADMILL_COORDINATOR)"},
      {{"job", "list", "--coordinator", "host"}, "--coordinator: 'host' is not HOST:PORT"},
      {at({"job", "list", "--limit", "-1"}), "--limit: '-1' is not a whole number"},
      {at({"job", "list", "j"}), "unexpected argument 'j'; see client job list --help"},
      {at({"job", "show"}), "<id> is missing; see client job show --help"},
      {at({"job", "show", ""}), "<id>: is empty"},
      {at({"job", "scheduling", "fair"}), "<mode>: 'fair' is neither global nor local"},
      {at({"job", "show", "j", "--explain", "--profile"}), "--explain"},
      {at({"job", "show", "j", "k"}), "unexpected argument 'k'"},
      {at({"job", "show", "j", "--format", "xml"}), "--format: 'xml' is not text or json"},
      {at({"job", "show", "j", "--reconnect-timeout", "5"}), "--reconnect-timeout: '5' is not a"},
      {at({"job", "output", "j", "--output", ""}), "--output: is empty"},
      {at({"job", "submit"}), "job submit: what kind of job is missing: train or predict; see"},
      {at({"job", "submit", "infer"}),
       "job submit: 'infer' is none of train, predict; see client job submit --help"},
      {at({"job", "submit", "predict", "--data", "f"}),
       "--model is missing; see client job submit"},
      {at({"job", "submit", "predict", "--model", "m"}),
       "--data is missing; see client job submit"},
      {at({"job", "set", "j"}), "--batch-size is missing; see client job set --help"},
      {at({"job", "set", "j", "--batch-size", "0"}), "--batch-size: '0' is not"},
      {at({"job", "set", "j", "--batch-size", "1000001"}), "--batch-size: '1000001' is not"},
      {at({"gc", "--keep-jobs", "x"}), "--keep-jobs: 'x' is not a whole number"},
      {at({"gc", "--keep-for", "3"}), "--keep-for: '3' is not a duration"},
      {at({"gc", "--keep-for", "2e7min"}),
       "--keep-for: '2e7min' is too long; the longest is 16666666min"},
      {at({"gc", "now"}), "unexpected argument 'now'"},
      {at({"node", "join"}), "<node> is missing; see client node join --help"},
      {at({"node", "join", "h"}), "<node>: 'h' is not HOST:PORT"},
      {at({"node", "leave", "h:0"}), "<node>: 'h:0' is not HOST:PORT"},
      {at({"node", "stats", "h"}), "<node>: 'h' is not HOST:PORT"},
  };
  for (const auto& [words, message] : wrong) {
    EXPECT_EQ(refusal(words).rfind(message, 0), 0U) << refusal(words) << "; wanted: " << message;
  }
}

TEST(Verb, TheEnvironmentNamesTheCoordinatorUnlessTheLineDoes) {
  ::setenv("GRADMILL_COORDINATOR", "h:1", 1);  // NOLINT(concurrency-mt-unsafe): before any thread
  EXPECT_EQ(read<ShowJobRequest>({"job", "show", "j"}).coordinator.text(), "h:1");
  EXPECT_EQ(read<ShowJobRequest>(at({"job", "show", "j"})).coordinator.text(), "host:9000");
  ::setenv("GRADMILL_COORDINATOR", "h", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(refusal({"job", "list"}), "GRADMILL_COORDINATOR: 'h' is not HOST:PORT");
  EXPECT_EQ(read<ListJobsRequest>(at({"job", "list"})).coordinator.text(), "host:9000");
  ::unsetenv("GRADMILL_COORDINATOR");  // NOLINT(concurrency-mt-unsafe)
}

TEST(Verb, ANounAloneTellsItsHelpAndTheVersion) {
  for (const Words& words :
       {Words{"job", "--version"}, at({"model", "--version"}), {"job", "submit", "--version"}}) {
    testing::internal::CaptureStdout();
    EXPECT_FALSE(parse_request(words).has_value());
    EXPECT_EQ(testing::internal::GetCapturedStdout().rfind("client ", 0), 0U);
  }
}

TEST(Verb, HelpOfSubmitListsTheKindsOfJobs) {
  testing::internal::CaptureStdout();
  EXPECT_FALSE(parse_request({"job", "submit", "--help"}).has_value());
  EXPECT_FALSE(parse_request(at({"job", "--help", "submit"})).has_value());
  const std::string help = testing::internal::GetCapturedStdout();
  EXPECT_EQ(help.rfind("usage: client job submit", 0), 0U) << help;
  EXPECT_NE(help.find("client job submit train --data DIR"), std::string::npos) << help;
  EXPECT_NE(help.find("client job submit predict --model NAME"), std::string::npos) << help;
}

TEST(Verb, HelpTellsAllExitCodes) {
  testing::internal::CaptureStdout();
  EXPECT_FALSE(parse_request({"--help"}).has_value());
  const std::string help = testing::internal::GetCapturedStdout();
  EXPECT_NE(help.find("5 not allowed, 6 no such job, model, node or file,\n130 detached"),
            std::string::npos)
      << help;
}

TEST(Verb, HelpNamesEveryVerb) {
  for (const auto& [noun, verbs] :
       {std::pair(std::string("job"), job_verbs()), std::pair(std::string("node"), node_verbs())}) {
    testing::internal::CaptureStdout();
    EXPECT_FALSE(parse_request({noun, "--help"}).has_value());
    EXPECT_FALSE(parse_request({"--help"}).has_value());
    const std::string help = testing::internal::GetCapturedStdout();
    for (const Verb& verb : verbs) {
      EXPECT_NE(help.find("client " + noun + ' ' + std::string(verb.name)), std::string::npos);
      Words words = {noun, std::string(verb.name), "--help"};
      if (verb.name == "submit") {
        words.insert(words.end() - 1, "train");
      }
      testing::internal::CaptureStdout();
      EXPECT_FALSE(parse_request(words).has_value()) << verb.name;
      EXPECT_EQ(testing::internal::GetCapturedStdout().rfind("usage: client ", 0), 0U);
    }
  }
}

}  // namespace
}  // namespace gradmill::client
