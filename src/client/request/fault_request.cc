#include "client/request/fault_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "client/request/common_options.h"
#include "program/arguments.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;
using Words = std::vector<std::string>;

constexpr const char* kNode = "<node>";
constexpr const char* kPreset = "<preset>";

// Besides a node's address.
constexpr std::array<std::string_view, 2> kOtherTargets = {"all", "coordinator"};
constexpr std::array<std::string_view, 3> kPresets = {"low", "mid", "high"};
// Of requests, and again of replies.
constexpr std::array<double, 3> kPresetDrops = {0.03, 0.3, 0.9};

/// HOST:PORT, all or coordinator.
FaultTarget target_of(const Arguments& arguments) {
  const std::string& text = arguments.text(kNode);
  if (text == "all") {
    return {FaultScope::kAllNodes};
  }
  if (text == "coordinator") {
    return {FaultScope::kCoordinator};
  }
  return {FaultScope::kNode, arguments.address(kNode, "HOST:PORT, all or coordinator")};
}

/// What the preset sets, by the word or the option.
FaultSettings preset_of(const Arguments& arguments) {
  const bool by_word = arguments.given(kPreset);
  if (by_word && arguments.given("--preset")) {
    contradict("--preset", "the preset '" + arguments.text(kPreset) + "'");
  }
  FaultSettings faults;
  if (by_word || arguments.given("--preset")) {
    const std::string& name = arguments.choice(by_word ? kPreset : "--preset", kPresets);
    const auto at = std::find(kPresets.begin(), kPresets.end(), name) - kPresets.begin();
    faults.drop_requests = kPresetDrops.at(static_cast<std::size_t>(at));
    faults.drop_replies = faults.drop_requests;
  }
  return faults;
}

FaultSettings faults_of(const Arguments& arguments) {
  FaultSettings faults = preset_of(arguments);
  for (const auto& [name, share] : {std::pair("--drop-requests", &faults.drop_requests),
                                    std::pair("--drop-replies", &faults.drop_replies),
                                    std::pair("--corrupt", &faults.corrupt)}) {
    *share = arguments.given(name) ? arguments.real(name, 0, 1) : *share;
  }
  if (arguments.given("--delay-ms")) {
    faults.delay = std::chrono::milliseconds(
        arguments.integer("--delay-ms", 0, static_cast<std::uint64_t>(kFaultDelayMax.count())));
  }
  if (arguments.given("--slow")) {
    faults.slow = arguments.real("--slow", 1, kFaultSlowMax);
  }
  if (arguments.given("--crash-after")) {
    faults.crash_after = arguments.integer("--crash-after", 1, kCrashAfterMax);
  }
  return faults;
}

/// Throws Error(kInvalidInput) for what the coordinator cannot do, naming the option.
void check_target(const Arguments& arguments, const FaultTarget& target) {
  for (const char* const name : {"--corrupt", "--slow"}) {
    if (target.scope == FaultScope::kCoordinator && arguments.given(name)) {
      throw invalid_input(std::string(name) + " goes with nodes only, not with the coordinator");
    }
  }
}

CommandLine set_line() {
  CommandLine line("client fault set",
                   "Makes a node break on purpose. What was set there before is replaced.");
  line.positional(kNode, "HOST:PORT of the node, all (nodes), or coordinator")
      .values(kOtherTargets)
      .optional_positional(kPreset, "low, mid or high")
      .values(kPresets)
      .option("--preset",
              "NAME",
              std::nullopt,
              "drop requests, and replies: low 0.03, mid 0.3, high 0.9; other options win")
      .values(kPresets)
      .option("--drop-requests", "P", std::nullopt, "share of calls that are not executed")
      .option("--drop-replies", "P", std::nullopt, "share of calls that are not answered")
      .option("--delay-ms", "N", std::nullopt, "milliseconds before each call is executed")
      .option("--corrupt", "P", std::nullopt, "nodes: share of results that are spoiled")
      .option("--slow", "X", std::nullopt, "nodes: tasks take X times as long")
      .option("--crash-after", "N", std::nullopt, "dies as the Nth task from now begins");
  line.epilogue(
      "Calls are those about tasks, at the coordinator those of clients, whose number "
      "--crash-after\n"
      "counts there; heartbeats are spared. A process must have been started with\n"
      "--enable-fault-injection, and forgets its faults when it ends.\n");
  return line;
}

std::optional<Request> parse_set(const Words& words) {
  SetFaultsRequest request;
  CommandLine line = set_line();
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  request.target = target_of(*arguments);
  request.faults = faults_of(*arguments);
  check_target(*arguments, request.target);
  if (request.faults == FaultSettings()) {
    throw invalid_input(
        "no fault is given; try client fault set NODE mid, or client fault clear NODE");
  }
  return request;
}

std::optional<Request> parse_clear(const Words& words) {
  ClearFaultsRequest request;
  CommandLine line("client fault clear", "Ends all faults.");
  line.optional_positional(kNode, "HOST:PORT of a node, or coordinator; all nodes if not given")
      .values(kOtherTargets);
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  if (arguments->given(kNode)) {
    request.target = target_of(*arguments);
  }
  return request;
}

std::optional<Request> parse_list(const Words& words) {
  ListFaultsRequest request;
  CommandLine line("client fault list",
                   "Lists the faults that are set, and in brackets how often each struck so far.");
  return parse_common(line, words, request) ? std::optional<Request>(request) : std::nullopt;
}

}  // namespace

std::span<const Verb> fault_verbs() {
  static constexpr std::array<Verb, 3> kVerbs = {{
      {"set", "", "set NODE low|mid|high", "break a node on purpose", parse_set},
      {"clear", "", "clear [NODE]", "end all faults", parse_clear},
      {"list", "ls", "list", "faults, and how often they struck", parse_list},
  }};
  return kVerbs;
}

}  // namespace gradmill::client
