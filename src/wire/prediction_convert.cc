#include "wire/prediction_convert.h"

#include <utility>

#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

constexpr EnumTable<gradmill::ElementType, ElementType::type, 2> kElementTypes = {
    {{gradmill::ElementType::kByte, ElementType::BYTE},
     {gradmill::ElementType::kFloat, ElementType::FLOAT}}};

std::int64_t nanoseconds_from(std::int64_t value, const char* field) {
  if (value < 0) {
    throw invalid_input(std::string(field) + " is negative");
  }
  return value;
}

}  // namespace

void fill_rows(Rows& to, std::span<const RawRows> parts) {
  std::uint32_t rows = 0;
  std::size_t bytes = 0;
  for (const RawRows& part : parts) {
    rows += part.rows;
    bytes += part.values.size();
  }
  to.elements = to_wire(parts.front().elements, kElementTypes);
  to.rows = static_cast<std::int32_t>(rows);
  to.features = static_cast<std::int32_t>(parts.front().features);
  to.values.clear();
  to.values.reserve(bytes);
  for (const RawRows& part : parts) {
    to.values += part.values;
  }
}

RawRows rows_from(const Rows& rows) {
  const RawRows to = {
      .elements = enum_from(rows.elements, kElementTypes, "the type of the rows' elements"),
      .rows = unsigned_from<std::uint32_t>(rows.rows, "the number of rows"),
      .features = unsigned_from<std::uint32_t>(rows.features, "the number of features"),
      .values = rows.values};
  check_rows(to);
  return to;
}

PredictRowsResponse to_wire(RowPredictions&& predictions) {
  PredictRowsResponse to;
  to.classes = std::move(predictions.classes);
  to.probabilities = std::move(predictions.probabilities);
  to.compute_ns = predictions.compute_ns;
  return to;
}

RowPredictions predictions_from(PredictRowsResponse&& response) {
  return {.classes = std::move(response.classes),
          .probabilities = std::move(response.probabilities),
          .compute_ns = nanoseconds_from(response.compute_ns, "the time of the computation")};
}

PredictResponse to_wire(ModelPredictions&& predictions) {
  PredictResponse to;
  to.model = std::move(predictions.model);
  to.version = static_cast<std::int32_t>(predictions.version);
  to.classes = std::move(predictions.rows.classes);
  to.probabilities = std::move(predictions.rows.probabilities);
  to.queue_ns = predictions.queue_ns;
  to.compute_ns = predictions.rows.compute_ns;
  return to;
}

ModelPredictions predictions_from(PredictResponse&& response) {
  ModelPredictions to;
  to.model = std::move(response.model);
  to.version = unsigned_from<std::uint32_t>(response.version, "the version");
  to.rows.classes = std::move(response.classes);
  to.rows.probabilities = std::move(response.probabilities);
  to.rows.compute_ns = nanoseconds_from(response.compute_ns, "the time of the computation");
  to.queue_ns = nanoseconds_from(response.queue_ns, "the time in the queue");
  return to;
}

ServedModelResponse to_wire(const ServedModel& model) {
  ServedModelResponse to;
  to.model = model.model;
  to.version = static_cast<std::int32_t>(model.version);
  to.features = static_cast<std::int32_t>(model.features);
  to.labels = model.labels;
  return to;
}

ServedModel served_model_from(ServedModelResponse&& response) {
  ServedModel to;
  to.model = std::move(response.model);
  to.version = unsigned_from<std::uint32_t>(response.version, "the version");
  to.features = unsigned_from<std::uint32_t>(response.features, "the number of features");
  to.labels = std::move(response.labels);
  if (to.features == 0 || to.labels.empty()) {
    throw invalid_input("a model without features or classes");
  }
  return to;
}

}  // namespace gradmill::wire
