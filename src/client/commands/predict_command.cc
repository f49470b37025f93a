#include "client/commands/predict_command.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/commands/row_labels.h"
#include "client/report/prediction_output.h"
#include "formats/row_table.h"
#include "program/exit_code.h"
#include "protocol/model_name.h"

namespace gradmill::client {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{4} << 30U;
constexpr std::size_t kPieceBytesMax = std::size_t{4} << 20U;
// A node is not kept busy for long by one call.
constexpr std::size_t kPieceRowsMax = 65'536;

std::string read_rows(const PredictRequest& request) {
  if (request.row) {
    return *request.row;
  }
  if (request.file) {
    return read_file(*request.file, kFileBytesMax);
  }
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

std::string name_of_rows(const PredictRequest& request) {
  return request.row ? "--row" : request.file.value_or("stdin");
}

/// `rows` rows of the table from `first` on.
RawRows part_of(const formats::RowTable& table,
                std::uint32_t features,
                std::size_t first,
                std::uint32_t rows) {
  RawRows part{.elements = ElementType::kByte, .rows = rows, .features = features, .values = {}};
  std::visit(
      [&](const auto& values) {
        using Element = typename std::decay_t<decltype(values)>::value_type;
        part.elements = sizeof(Element) == 1 ? ElementType::kByte : ElementType::kFloat;
        part.values = {reinterpret_cast<const char*>(values.data() + first * features),
                       std::size_t{rows} * features * sizeof(Element)};
      },
      table.values);
  return part;
}

}  // namespace

int run(const PredictRequest& request, CoordinatorLink& link, Console console) {
  const ServedModel model = link.served_model(request.model);
  // One version for all rows, whatever becomes of the alias meanwhile.
  const std::string reference = version_reference(model.model, model.version);
  const std::string text = read_rows(request);
  const formats::RowTable table = formats::parse_rows(text,
                                                      name_of_rows(request),
                                                      {.features = model.features,
                                                       .features_from = "model " + reference,
                                                       .labelled = request.labelled});
  const std::size_t row_bytes = model.features * sizeof(float);
  const std::size_t piece = std::clamp<std::size_t>(kPieceBytesMax / row_bytes, 1, kPieceRowsMax);
  const std::vector<std::uint16_t> classes = classes_of(table.labels, model);
  if (const std::string notice = unknown_labels_notice(table.labels, classes, model);
      !notice.empty()) {
    console.err << "client: " << notice << '\n' << std::flush;
  }
  PredictionOutput output(console.out, model, request.format);
  std::uint64_t right = 0;
  for (std::size_t first = 0; first < table.rows; first += piece) {
    const auto rows = static_cast<std::uint32_t>(std::min<std::size_t>(piece, table.rows - first));
    const ModelPredictions predictions =
        link.predict(reference, part_of(table, model.features, first, rows));
    check_predictions(predictions.rows, rows, static_cast<std::uint32_t>(model.labels.size()));
    output.write(predictions.rows, rows);
    for (std::size_t row = 0; row < rows && request.labelled; ++row) {
      right += class_at(predictions.rows, row) == classes[first + row] ? 1U : 0U;
    }
  }
  const double accuracy = static_cast<double>(right) / table.rows;
  output.end(request.labelled ? std::optional(accuracy) : std::nullopt);
  if (request.labelled) {
    console.err << right << " of " << table.rows << " rows were right: accuracy " << accuracy
                << '\n';
  }
  return program::kSucceeded;
}

}  // namespace gradmill::client
