#include "coordinator/store/predicted_files.h"

#include <array>
#include <memory>
#include <utility>

#include "coordinator/store/files/sealed_file.h"
#include "coordinator/store/texts/prediction_texts.h"

namespace gradmill::coordinator {
namespace {

// Far above what is predicted between two commits.
constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 32U;

}  // namespace

std::string predictions_path(const std::string& folder, std::uint64_t first_row) {
  return folder + "/" + std::string(kPredictionsPrefix) + std::to_string(first_row);
}

FileContent predictions_file(std::uint64_t commit,
                             std::uint64_t number,
                             const PredictedAt& predicted) {
  FileContent content;
  const std::array<std::string_view, 3> sections = {
      content.keep(numbered(number, predicted.progress)),
      content.keep(text_of(predicted.range)),
      *predicted.range.predictions.bytes};
  return seal(FileKind::kPredictions, commit, sections, std::move(content));
}

std::optional<FromFile<PredictedAt>> parse_predictions(std::string_view bytes,
                                                       std::uint64_t number,
                                                       std::uint64_t first_row) {
  const auto sealed = unseal(bytes, FileKind::kPredictions, 3);
  if (!sealed) {
    return std::nullopt;
  }
  FromFile<PredictedAt> found;
  found.commit = sealed->commit;
  PredictedRange& range = found.value.range;
  try {
    found.value.progress = progress_of_job(number, sealed->sections[0]);
    range = range_of(sealed->sections[1]);
  } catch (const Damage&) {
    return std::nullopt;
  }
  const std::string_view predictions = sealed->sections[2];
  if (range.first_row != first_row || found.value.progress.predicted != end_of(range) ||
      predictions.empty() || predictions.size() != range.predictions.ref.bytes) {
    return std::nullopt;
  }
  range.predictions.bytes = std::make_shared<const std::string>(predictions);
  return found;
}

std::optional<FromFile<PredictedAt>> read_predictions(const std::string& folder,
                                                      std::uint64_t number,
                                                      std::uint64_t first_row) {
  const auto bytes = read_if_there(predictions_path(folder, first_row), kFileBytesMax);
  return bytes ? parse_predictions(*bytes, number, first_row) : std::nullopt;
}

std::optional<Blob> read_predicted(const std::string& folder,
                                   std::uint64_t number,
                                   std::uint64_t first_row) {
  auto file = read_predictions(folder, number, first_row);
  if (!file) {
    return std::nullopt;
  }
  Blob& found = file->value.range.predictions;
  return sha256(*found.bytes) == found.ref.digest ? std::optional(std::move(found)) : std::nullopt;
}

}  // namespace gradmill::coordinator
