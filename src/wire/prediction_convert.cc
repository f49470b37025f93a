#include "wire/prediction_convert.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>

#include "ml/topology.h"
#include "protocol/specification_check.h"
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

void check_finite(const std::string& floats) {
  for (std::size_t at = 0; at < floats.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, floats.data() + at, sizeof value);
    if (!std::isfinite(value)) {
      throw invalid_input("a probability is not finite");
    }
  }
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
  to.file = to_wire(model.file);
  return to;
}

ServedModel served_model_from(ServedModelResponse&& response) {
  ServedModel to;
  to.model = std::move(response.model);
  to.version = unsigned_from<std::uint32_t>(response.version, "the version");
  to.features = unsigned_from<std::uint32_t>(response.features, "the number of features");
  to.labels = std::move(response.labels);
  to.file = blob_from(response.file, "the model file");
  check_served_model(to);
  return to;
}

PredictionPlan to_wire(const gradmill::PredictionPlan& plan) {
  PredictionPlan to;
  to.model = plan.model.model;
  to.version = static_cast<std::int32_t>(plan.model.version);
  to.file = to_wire(plan.model.file);
  to.features = static_cast<std::int32_t>(plan.model.features);
  to.labels = plan.model.labels;
  to.batch_rows = static_cast<std::int32_t>(plan.batch_rows);
  to.labelled = plan.labelled;
  return to;
}

gradmill::PredictionPlan plan_from(const PredictionPlan& plan) {
  gradmill::PredictionPlan to;
  to.model.model = plan.model;
  to.model.version = unsigned_from<std::uint32_t>(plan.version, "the version of the model");
  to.model.file = blob_from(plan.file, "the model file");
  to.model.features = unsigned_from<std::uint32_t>(plan.features, "the number of features");
  to.model.labels = plan.labels;
  to.batch_rows = unsigned_from<std::uint32_t>(plan.batch_rows, "the rows of a batch");
  to.labelled = plan.labelled;
  check_prediction_plan(to);
  return to;
}

PredictionStatus to_wire(const gradmill::PredictionStatus& status) {
  PredictionStatus to;
  to.rows = static_cast<std::int64_t>(status.rows);
  to.rows_done = static_cast<std::int64_t>(status.rows_done);
  to.wrong = static_cast<std::int64_t>(status.wrong);
  to.batch_rows = static_cast<std::int32_t>(status.batch_rows);
  to.labelled = status.labelled;
  to.model = status.model;
  to.version = static_cast<std::int32_t>(status.version);
  return to;
}

gradmill::PredictionStatus prediction_status_from(const PredictionStatus& status) {
  gradmill::PredictionStatus to;
  to.rows = unsigned_from<std::uint64_t>(status.rows, "the number of rows");
  to.rows_done = unsigned_from<std::uint64_t>(status.rows_done, "the rows done");
  to.wrong = unsigned_from<std::uint64_t>(status.wrong, "the wrong rows");
  to.batch_rows = unsigned_from<std::uint32_t>(status.batch_rows, "the rows of a batch");
  to.labelled = status.labelled;
  to.model = status.model;
  to.version = unsigned_from<std::uint32_t>(status.version, "the version of the model");
  if (to.rows_done > to.rows) {
    throw invalid_input("the rows done are more than there are");
  }
  if (to.wrong > to.rows_done) {
    throw invalid_input("the wrong rows are more than are done");
  }
  return to;
}

std::uint32_t rows_max_from(std::int32_t rows_max) {
  const auto rows = unsigned_from<std::uint32_t>(rows_max, "the number of rows");
  if (rows == 0) {
    throw invalid_input("no rows are asked for");
  }
  return std::min(rows, kPredictionRowsMax);
}

JobPredictionsResponse to_wire(JobPredictions&& predictions) {
  JobPredictionsResponse to;
  to.first_row = static_cast<std::int64_t>(predictions.first_row);
  to.rows = static_cast<std::int32_t>(predictions.rows);
  to.classes = std::move(predictions.predictions.classes);
  to.probabilities = std::move(predictions.predictions.probabilities);
  to.ended = predictions.ended;
  return to;
}

JobPredictions job_predictions_from(JobPredictionsResponse&& response,
                                    const JobPredictionsRequest& request) {
  if (response.first_row != request.first_row) {
    throw invalid_input("predictions of other rows than were asked for");
  }
  if (response.rows < 0 || response.rows > request.rows_max) {
    throw invalid_input("the number of rows is out of range");
  }
  JobPredictions to;
  to.first_row = unsigned_from<std::uint64_t>(response.first_row, "the first row");
  to.rows = static_cast<std::uint32_t>(response.rows);
  to.predictions.classes = std::move(response.classes);
  to.predictions.probabilities = std::move(response.probabilities);
  to.ended = response.ended;
  check_predictions(to.predictions, to.rows, ml::kUnitsMax);
  check_finite(to.predictions.probabilities);
  return to;
}

}  // namespace gradmill::wire
