#include "client/request/model_request.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "client/request/common_options.h"
#include "ml/activation_name.h"
#include "program/arguments.h"
#include "protocol/model.h"
#include "protocol/model_name.h"

namespace gradmill::client {
namespace {

using program::Arguments;
using program::CommandLine;
using Words = std::vector<std::string>;

constexpr const char* kModel = "<model>";
constexpr const char* kAnyModel = "NAME (its champion), NAME@VERSION or NAME@ALIAS";

std::string reference_in(const Arguments& arguments) {
  static_cast<void>(parse_model_reference(arguments.text(kModel)));
  return arguments.text(kModel);
}

std::string name_in(const Arguments& arguments, const char* option) {
  check_model_name(arguments.text(option));
  return arguments.text(option);
}

void require(const Arguments& arguments, const std::string& option, const std::string& verb) {
  if (!arguments.given(option)) {
    throw invalid_input(option + " is missing; see client model " + verb + " --help");
  }
}

void add_alias_option(CommandLine& line) {
  line.option("--alias", "ALIAS", std::string(kChampion), "the alias that is meant");
}

std::string alias_in(const Arguments& arguments) {
  check_model_alias(arguments.text("--alias"));
  return arguments.text("--alias");
}

std::optional<Request> parse_list(const Words& words) {
  ListModelsRequest request;
  CommandLine line("client model list",
                   "Lists models with their champions, or the versions of one.");
  line.optional_positional(kModel, "NAME: list its versions, newest first");
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  if (arguments->given(kModel)) {
    request.model = name_in(*arguments, kModel);
  }
  return request;
}

std::optional<Request> parse_show(const Words& words) {
  ShowModelRequest request;
  CommandLine line("client model show", "Shows where a version comes from and how good it is.");
  line.positional(kModel, kAnyModel);
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  request.model = reference_in(*arguments);
  return request;
}

std::optional<Request> parse_stats(const Words& words) {
  ModelStatsRequest request;
  CommandLine line("client model stats",
                   "Shows how many predictions a version was asked for, and how long they took.");
  line.positional(kModel, kAnyModel);
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  request.model = reference_in(*arguments);
  return request;
}

std::optional<Request> parse_export(const Words& words) {
  ExportModelRequest request;
  CommandLine line("client model export", "Writes the model file of a version.");
  line.positional(kModel, kAnyModel)
      .option("--output", "FILE", std::nullopt, "where to: .safetensors, .npz or .onnx");
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  require(*arguments, "--output", "export");
  request.model = reference_in(*arguments);
  request.output = arguments->text("--output");
  return request;
}

std::optional<Request> parse_import(const Words& words) {
  ImportModelRequest request;
  CommandLine line("client model import", "Registers a model file as a version.");
  line.positional("<file>", "the model, as .safetensors or .npz")
      .option("--model", "NAME", std::nullopt, "the model that it becomes a version of")
      .option("--activation", "NAME", std::nullopt, "of a file that does not say it")
      .values(ml::kActivationNames);
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  require(*arguments, "--model", "import");
  request.file = arguments->text("<file>");
  request.model = name_in(*arguments, "--model");
  if (arguments->given("--activation")) {
    const std::string& name = arguments->choice("--activation", ml::kActivationNames);
    request.activation = static_cast<ml::Activation>(
        std::find(ml::kActivationNames.begin(), ml::kActivationNames.end(), name) -
        ml::kActivationNames.begin());
  }
  return request;
}

std::optional<Request> parse_promote(const Words& words) {
  PromoteModelRequest request;
  CommandLine line(
      "client model promote",
      "Points an alias at a version, if its validation error is lower than that of the "
      "version it stands for now.");
  line.positional(kModel, "NAME@VERSION or NAME@ALIAS")
      .flag("--force", "even if its validation error is not lower");
  add_alias_option(line);
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  request.model = reference_in(*arguments);
  if (request.model.find('@') == std::string::npos) {
    throw invalid_input(quoted_name(request.model) +
                        " does not say which version to promote; use NAME@VERSION");
  }
  request.alias = alias_in(*arguments);
  request.force = arguments->flag("--force");
  return request;
}

std::optional<Request> parse_rollback(const Words& words) {
  RollBackModelRequest request;
  CommandLine line("client model rollback",
                   "Points an alias at the version that it stood for before.");
  line.positional(kModel, "NAME");
  add_alias_option(line);
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  request.model = name_in(*arguments, kModel);
  request.alias = alias_in(*arguments);
  return request;
}

std::optional<Request> parse_delete(const Words& words) {
  DeleteModelRequest request;
  CommandLine line("client model delete", "Deletes a version, or a model with all of them.");
  line.positional(kModel, "NAME@VERSION, or NAME with --yes")
      .flag("--yes", "all versions of the model are meant");
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  const std::string& text = arguments->text(kModel);
  const ModelReference reference = parse_model_reference(text);
  const bool is_whole = text.find('@') == std::string::npos;
  if (!is_whole && reference.version == 0) {
    throw invalid_input(quoted_name(text) + " is an alias; delete NAME@VERSION");
  }
  if (is_whole && !arguments->flag("--yes")) {
    throw invalid_input(quoted_name(text) +
                        " means the model with all of its versions; add --yes, or delete "
                        "NAME@VERSION");
  }
  request.model = reference.model;
  request.version = reference.version;
  return request;
}

}  // namespace

std::span<const Verb> model_verbs() {
  static constexpr std::array<Verb, 8> kVerbs = {{
      {"list", "ls", "list [NAME]", "models, or the versions of one", parse_list},
      {"show", "", "show NAME[@V|@ALIAS]", "lineage, errors, confusion matrix", parse_show},
      {"stats", "", "stats NAME[@V|@ALIAS]", "how long its predictions took", parse_stats},
      {"export", "", "export NAME[@V] --output FILE", "write the model file", parse_export},
      {"import", "", "import FILE --model NAME", "register a model file", parse_import},
      {"promote", "", "promote NAME@V", "make a better version the champion", parse_promote},
      {"rollback", "", "rollback NAME", "back to the champion before", parse_rollback},
      {"delete", "rm", "delete NAME@V | NAME --yes", "delete a version, or a model", parse_delete},
  }};
  return kVerbs;
}

}  // namespace gradmill::client
