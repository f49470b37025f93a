#include "coordinator/store/texts/prediction_texts.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "coordinator/store/texts/json_values.h"
#include "ml/topology.h"
#include "protocol/model_name.h"

namespace gradmill::coordinator {
namespace {

using nlohmann::json;

// A class of 16 bits and a probability of 32.
constexpr std::uint64_t kBytesPerRow = 6;
// Numbers of rows are signed in the database.
constexpr std::uint64_t kRowsMax = std::numeric_limits<std::int64_t>::max();

void require(bool kept, const char* what) {
  if (!kept) {
    throw Damage(what);
  }
}

}  // namespace

json json_of(const PredictionPlan& plan) {
  return {{"model", plan.model.model},
          {"version", plan.model.version},
          {"file", ref_json(plan.model.file)},
          {"features", plan.model.features},
          {"labels", plan.model.labels},
          {"batch_rows", plan.batch_rows},
          {"labelled", plan.labelled}};
}

PredictionPlan plan_of(const json& object) {
  PredictionPlan plan;
  ServedModel& model = plan.model;
  get(object, "model", model.model);
  check_model_name(model.model);
  get(object, "version", model.version);
  require(model.version > 0, "no version of a model");
  model.file = ref_of(object.at("file"));
  require(model.file.bytes > 0, "an empty model file");
  get(object, "features", model.features);
  require(model.features >= 1 && model.features <= ml::kUnitsMax, "no number of features");
  get(object, "labels", model.labels);
  require(!model.labels.empty() && model.labels.size() <= ml::kUnitsMax, "no labels of a model");
  get(object, "batch_rows", plan.batch_rows);
  require(plan.batch_rows >= 1 && plan.batch_rows <= kBatchRowsMax, "no size of a batch");
  get(object, "labelled", plan.labelled);
  return plan;
}

std::string text_of(const PredictedRange& range) {
  return dump(
      json::array({range.first_row, range.rows, range.wrong, ref_json(range.predictions.ref)}));
}

PredictedRange range_of(std::string_view text) {
  return parsed(text, [](const json& list) {
    PredictedRange range;
    get_exactly(list.at(0), range.first_row);
    get_exactly(list.at(1), range.rows);
    get_exactly(list.at(2), range.wrong);
    range.predictions.ref = ref_of(list.at(3));
    require(range.rows >= 1 && range.rows <= kRowsMax && range.first_row <= kRowsMax - range.rows &&
                range.wrong <= range.rows,
            "no range of rows");
    const std::uint64_t bytes = range.predictions.ref.bytes;
    require(bytes == 0 || (bytes % kBytesPerRow == 0 && bytes / kBytesPerRow == range.rows),
            "other predictions than rows");
    return range;
  });
}

}  // namespace gradmill::coordinator
