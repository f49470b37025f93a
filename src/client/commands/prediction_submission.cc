#include "client/commands/prediction_submission.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/commands/row_labels.h"
#include "formats/row_table.h"
#include "formats/shard_blob.h"
#include "protocol/model_name.h"
#include "protocol/specification_check.h"

namespace gradmill::client {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{4} << 30U;
constexpr std::uint64_t kShardBytes = std::uint64_t{4} << 20U;
constexpr std::uint32_t kBatchRows = 4096;

std::uint32_t batch_rows_of(const PredictFileRequest& request,
                            ElementType elements,
                            std::uint32_t features) {
  const std::uint32_t most = batch_rows_max(elements, features);
  if (request.batch_rows.value_or(0) > most) {
    throw invalid_input("--batch-size: " + std::to_string(*request.batch_rows) + " rows of " +
                        std::to_string(features) + " features are too many; at most " +
                        std::to_string(most) + " fit in a task");
  }
  return request.batch_rows.value_or(std::min(kBatchRows, most));
}

/// Rows of a shard, whole batches; one batch at least.
std::uint32_t shard_rows_of(std::uint64_t row_bytes, std::uint32_t batch_rows) {
  const std::uint64_t batches = kShardBytes / (row_bytes * batch_rows);
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, batches) * batch_rows);
}

/// `rows` rows from `first` on.
ml::Shard shard_of(const formats::RowTable& table,
                   const std::vector<std::uint16_t>& classes,
                   std::uint32_t features,
                   std::size_t first,
                   std::uint32_t rows) {
  ml::Shard shard;
  shard.rows = rows;
  shard.features = features;
  shard.labels.assign(classes.begin() + static_cast<std::ptrdiff_t>(first),
                      classes.begin() + static_cast<std::ptrdiff_t>(first + rows));
  shard.classes = std::uint32_t{*std::max_element(shard.labels.begin(), shard.labels.end())} + 1;
  std::visit(
      [&](const auto& values) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first * features);
        const auto count = static_cast<std::ptrdiff_t>(std::size_t{rows} * features);
        shard.values = std::decay_t<decltype(values)>(begin, begin + count);
      },
      table.values);
  return shard;
}

formats::RowTable read_rows(const PredictFileRequest& request, const ServedModel& model) {
  return formats::parse_rows(
      read_file(request.file, kFileBytesMax),
      request.file,
      {.features = model.features,
       .features_from = "model " + version_reference(model.model, model.version),
       .labelled = request.labelled});
}

}  // namespace

Submission prepare(const PredictFileRequest& request, const ServedModel& model) {
  const formats::RowTable table = read_rows(request, model);
  const bool is_bytes = std::holds_alternative<std::vector<std::uint8_t>>(table.values);
  const std::uint32_t batch_rows =
      batch_rows_of(request, is_bytes ? ElementType::kByte : ElementType::kFloat, model.features);
  Submission submission;
  submission.terms.share = request.share;
  JobSpecification& specification = submission.specification;
  specification.prediction =
      PredictionPlan{.model = model, .batch_rows = batch_rows, .labelled = request.labelled};
  check_prediction_plan(*specification.prediction);
  std::vector<std::uint16_t> classes(table.rows, 0);
  if (request.labelled) {
    classes = classes_of(table.labels, model);
    submission.notice = unknown_labels_notice(table.labels, classes, model);
  }
  const std::uint64_t row_bytes = std::uint64_t{model.features} * (is_bytes ? 1 : sizeof(float));
  const std::uint32_t shard_rows = shard_rows_of(row_bytes, batch_rows);
  for (std::size_t first = 0; first < table.rows; first += shard_rows) {
    const auto rows =
        static_cast<std::uint32_t>(std::min<std::size_t>(shard_rows, table.rows - first));
    Blob blob =
        make_blob(formats::encode_shard(shard_of(table, classes, model.features, first, rows)));
    specification.shards.push_back(blob.ref);
    submission.blobs.push_back(std::move(blob));
  }
  check_specification(specification);
  return submission;
}

}  // namespace gradmill::client
