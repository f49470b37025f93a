#include "program/completion.h"

#include <array>
#include <string_view>

#include <gtest/gtest.h>

namespace gradmill::program {
namespace {

using Words = std::vector<std::string>;

Completion asked(const Words& words) {
  static constexpr std::array<std::string_view, 3> kColours = {"red", "rose", "blue"};
  CommandLine line("p", "Tests.");
  line.positional("<colour>", "")
      .values(kColours)
      .optional_positional("<dir>", "")
      .option("--colour", "NAME", "blue", "")
      .values(kColours)
      .option("--count", "N", std::nullopt, "")
      .option("--output", "FILE", std::nullopt, "")
      .flag("--quiet", "");
  try {
    static_cast<void>(line.parse(words));
  } catch (const Completion& completion) {
    return completion;
  }
  throw std::logic_error("no completion");
}

std::string answer(const Words& words) { return shell_answer(asked(words)); }

TEST(Completion, PositionalArgumentsComeInOrder) {
  EXPECT_EQ(answer({"--complete="}), "words\nred\nrose\nblue\n");
  EXPECT_EQ(answer({"--complete=r"}), "words\nred\nrose\n");
  EXPECT_EQ(answer({"--complete=x"}), "words\n");
  EXPECT_EQ(answer({"--complete=", "red"}), "files\n");
  EXPECT_EQ(answer({"--complete=", "--quiet", "--count", "3", "red"}), "files\n");
  EXPECT_EQ(asked({"--complete=d", "red"}).wanted, "<dir>");
}

TEST(Completion, BehindThePositionalArgumentsThereAreOptions) {
  EXPECT_EQ(answer({"--complete=", "red", "dir"}),
            "words\n--help\n--version\n--colour\n--count\n--output\n--quiet\n");
  EXPECT_EQ(answer({"--complete=--co"}), "words\n--colour\n--count\n");
  EXPECT_EQ(answer({"--complete=-", "--colour=red", "--count", "3", "--quiet"}),
            "words\n--help\n--version\n--output\n");
}

TEST(Completion, AnOptionHasItsValues) {
  EXPECT_EQ(answer({"--complete=ro", "--colour"}), "words\nrose\n");
  EXPECT_EQ(answer({"--complete=--colour=r"}), "words\n--colour=red\n--colour=rose\n");
  EXPECT_EQ(answer({"--complete=--", "--output"}), "files\n");
  EXPECT_EQ(answer({"--complete=--output=x"}), "files\n");
  EXPECT_EQ(answer({"--complete=", "--count"}), "words\n");
  EXPECT_EQ(answer({"--complete=--unknown=x"}), "words\n");
  EXPECT_EQ(asked({"red", "--count", "--complete="}).wanted, "--count");
}

TEST(Completion, TellsWhatTheWordsBeforeSay) {
  const Completion completion = asked({"--complete=", "red", "--count=3", "--output", "f"});
  EXPECT_EQ(completion.arguments.text("<colour>"), "red");
  EXPECT_EQ(completion.arguments.text("--count"), "3");
  EXPECT_EQ(completion.arguments.text("--output"), "f");
  EXPECT_EQ(completion.arguments.text("--colour"), "blue");
  EXPECT_FALSE(completion.arguments.has("<dir>"));
}

TEST(Completion, WordsThatAShellWouldReadOtherwiseAreLeftOut) {
  const Completion completion = asked({"--complete="});
  EXPECT_EQ(candidates(completion,
                       {"a-b_c.d/e:1@2=3,4+5%6",
                        "",
                        "two words",
                        "$(reboot)",
                        "a;b",
                        "~",
                        "!1",
                        "a\nb",
                        "\x1b[2J",
                        "\"",
                        "'",
                        "*",
                        "grün"}),
            "a-b_c.d/e:1@2=3,4+5%6\ngrün\n");
}

}  // namespace
}  // namespace gradmill::program
