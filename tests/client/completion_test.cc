#include "client/commands/completion.h"

#include <stdlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "client/fake_link.h"
#include "client/request/request.h"
#include "client/request/verb.h"

namespace gradmill::client {
namespace {

using program::Completion;
using Words = std::vector<std::string>;

Completion asked(const Words& before, const std::string& cursor) {
  Words words = {std::string(program::kCompleteOption) + cursor};
  words.insert(words.end(), before.begin(), before.end());
  try {
    static_cast<void>(parse_request(words));
  } catch (const Completion& completion) {
    return completion;
  }
  throw std::logic_error("no completion");
}

/// The fixed values, that begin so.
Words values(const Words& before, const std::string& cursor = "") {
  const Completion completion = asked(before, cursor);
  Words fitting;
  std::copy_if(completion.values.begin(),
               completion.values.end(),
               std::back_inserter(fitting),
               [&](const std::string& value) { return value.starts_with(completion.beginning); });
  return fitting;
}

/// Names that the coordinator knows.
Words known(CoordinatorLink& link, Words before, const std::string& cursor = "") {
  before.insert(before.begin(), {"--coordinator", "h:1"});
  const Completion completion = asked(before, cursor);
  EXPECT_TRUE(is_known_to_coordinator(completion));
  return known_values(completion, link);
}

/// Nouns and verbs of every command, as completion tells them.
std::vector<Words> commands() {
  std::vector<Words> all;
  std::vector<Words> open = {{}};
  while (!open.empty()) {
    const Words words = open.back();
    open.pop_back();
    const Completion next = asked(words, "");
    if (words.empty() || next.wanted == "<verb>") {
      for (const std::string& value : next.values) {
        open.push_back(words);
        open.back().push_back(value);
      }
    } else {
      all.push_back(words);
    }
  }
  return all;
}

TEST(ClientCompletion, NounsThenVerbsThenWhatTheVerbTakes) {
  EXPECT_EQ(values({}, "jo"), Words{"job"});
  EXPECT_EQ(values({}, "--early"), Words{"--early-stop"});
  EXPECT_EQ(values({"node"}), (Words{"list", "stats", "join", "leave"}));
  EXPECT_EQ(values({"job", "--coordinator", "h:1"}, "pa"), Words{"pause"});
  EXPECT_EQ(values({"job", "submit"}), (Words{"train", "predict"}));
  EXPECT_EQ(values({"job", "show"}), Words{"latest"});
  EXPECT_EQ(values({"job", "show", "j"}, "--p"), (Words{"--profile", "--plot"}));
  EXPECT_EQ(values({"job", "submit", "train", "--preset"}), (Words{"fast", "accurate"}));
  EXPECT_EQ(values({"job", "submit", "train"}, "--server-optimizer=m"), Words{"momentum"});
  EXPECT_EQ(values({"fault", "set", "all"}), (Words{"low", "mid", "high"}));
  EXPECT_TRUE(asked({"model", "import"}, "").is_file);
  EXPECT_TRUE(asked({"h", "9000"}, "").is_file);
  EXPECT_TRUE(asked({"predict", "m", "--file"}, "").is_file);
}

TEST(ClientCompletion, EveryCommandHasFormatsAndTheOtherCommonOptions) {
  const std::vector<Words> all = commands();
  EXPECT_GE(all.size(), 28U);
  for (const Words& command : all) {
    const std::string name = command.front() + ' ' + command.back();
    const Words options = values(command, "--");
    for (const char* const option :
         {"--coordinator", "--format", "--reconnect-timeout", "--help"}) {
      EXPECT_EQ(std::count(options.begin(), options.end(), option), 1) << name << ' ' << option;
    }
    EXPECT_EQ(values(command, "--format="), (Words{"text", "json"})) << name;
  }
}

TEST(ClientCompletion, EveryCommandHasHelpAndRefusesAnUnknownOption) {
  for (const Words& command : commands()) {
    Words words = command;
    words.emplace_back("--help");
    testing::internal::CaptureStdout();
    EXPECT_FALSE(parse_request(words).has_value());
    const std::string help = testing::internal::GetCapturedStdout();
    EXPECT_EQ(help.rfind("usage: client ", 0), 0U) << help;
    EXPECT_NE(help.find(command.back()), std::string::npos) << help;
    words.back() = "--no-such-option";
    try {
      static_cast<void>(parse_request(words));
      ADD_FAILURE() << command.back() << " takes --no-such-option";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_EQ(
          std::string(error.what()).rfind("unrecognised option '--no-such-option'; see client ", 0),
          0U)
          << error.what();
    }
  }
}

TEST(ClientCompletion, EveryPositionalArgumentHasCandidates) {
  for (const Words& command : commands()) {
    Words words = command;
    for (Completion next = asked(words, ""); !next.wanted.empty(); next = asked(words, "")) {
      next.arguments = asked({"job", "list", "--coordinator", "h:1"}, "").arguments;
      EXPECT_TRUE(next.is_file || !next.values.empty() || is_known_to_coordinator(next))
          << command.front() << ' ' << command.back() << ": " << next.wanted
          << " has neither values() nor a source in commands/completion.cc";
      words.emplace_back("word");
    }
  }
}

// What stands behind a flag is no value of it, so nouns and verbs are found there.
TEST(ClientCompletion, WordsBehindFlagsAreFound) {
  for (const Words& command : commands()) {
    for (const std::string& option : values(command, "--")) {
      Words words = command;
      words.push_back(option);
      const bool is_flag = asked(words, "--").wanted.empty();
      EXPECT_EQ(plain_word({option, "job", "list"}), is_flag ? 1U : 2U)
          << option << " belongs into the flags of request/verb.cc";
    }
  }
}

TEST(ClientCompletion, AsksTheCoordinatorForNames) {
  FakeLink link;
  link.summaries.resize(2);
  link.summaries[0].job = "new";
  link.summaries[1].job = "old";
  EXPECT_EQ(known(link, {"job", "logs"}), (Words{"new", "old"}));

  link.all_models.resize(2);
  link.all_models[0].model = "letters";
  link.all_models[0].version = 2;
  link.all_models[0].aliases = {"best", "champion"};
  link.all_models[1].model = "digits";
  EXPECT_EQ(known(link, {"predict"}), (Words{"letters", "digits"}));
  EXPECT_EQ(known(link, {"job", "submit", "predict", "--model"}), (Words{"letters", "digits"}));
  link.all_models.pop_back();
  EXPECT_EQ(known(link, {"model", "show"}, "letters@"),
            (Words{"letters@2", "letters@best", "letters@champion"}));
  EXPECT_EQ(link.calls.back(), "models letters");

  link.model_details.aliases = {{"best", 2}, {"champion", 2}};
  EXPECT_EQ(known(link, {"model", "rollback", "letters", "--alias"}), (Words{"best", "champion"}));
  EXPECT_EQ(known(link, {"model", "rollback", "--alias"}), Words());

  link.all_nodes.resize(1);
  link.all_nodes[0].address = {"10.0.0.1", 9001};
  EXPECT_EQ(known(link, {"node", "leave"}), Words{"10.0.0.1:9001"});
}

TEST(ClientCompletion, WithoutACoordinatorNobodyIsAsked) {
  ::unsetenv("GRADMILL_COORDINATOR");  // NOLINT(concurrency-mt-unsafe): before any thread
  EXPECT_FALSE(is_known_to_coordinator(asked({"job", "show"}, "")));
  EXPECT_FALSE(is_known_to_coordinator(asked({"job", "list", "--coordinator", "h:1"}, "")));
  ::setenv("GRADMILL_COORDINATOR", "h:1", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_TRUE(is_known_to_coordinator(asked({"job", "show"}, "")));
  ::unsetenv("GRADMILL_COORDINATOR");  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace
}  // namespace gradmill::client
