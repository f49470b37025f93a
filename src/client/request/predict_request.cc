#include "client/request/predict_request.h"

#include "client/request/common_options.h"
#include "program/arguments.h"

namespace gradmill::client {

std::optional<Request> parse_predict(const std::vector<std::string>& words) {
  PredictRequest request;
  program::CommandLine line("client predict", "Says which class each row is of.");
  line.positional("<model>", "NAME, NAME@VERSION or NAME@ALIAS; a name alone is its champion")
      .option("--row", "LIST", std::nullopt, "the features of one row, with commas between")
      .option("--file", "FILE", std::nullopt, "rows of features, a line each; - or none: stdin")
      .flag("--labelled", "the last column is a label: says on stderr how many were right");
  line.epilogue(
      "Text: class, label and probability of each row, a line each. JSON: one object with model,\n"
      "version and predictions. It takes the role viewer or operator.\n");
  const auto arguments = parse_common(line, words, request);
  if (!arguments) {
    return std::nullopt;
  }
  request.model = arguments->text("<model>");
  if (arguments->given("--row")) {
    request.row = arguments->text("--row");
    if (arguments->given("--file")) {
      contradict("--row", "--file");
    }
  } else if (arguments->given("--file") && arguments->text("--file") != "-") {
    request.file = arguments->text("--file");
  }
  request.labelled = arguments->flag("--labelled");
  return request;
}

}  // namespace gradmill::client
