// The files of predicted ranges in the folder of a prediction job: `predictions-FIRSTROW` has what
// the model says of a range, and how far the job was with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coordinator/core/record.h"
#include "coordinator/store/job_files.h"

namespace gradmill::coordinator {

[[nodiscard]] std::string predictions_path(const std::string& folder, std::uint64_t first_row);

/// A range, and the job's progress once it was predicted.
struct PredictedAt {
  PredictedRange range;  ///< With its bytes.
  Progress progress;
};

/// Keeps a view of the predictions' bytes.
[[nodiscard]] FileContent predictions_file(std::uint64_t commit,
                                           std::uint64_t number,
                                           const PredictedAt& predicted);
/// What is in the bytes of the file, if every one is as it was written.
[[nodiscard]] std::optional<FromFile<PredictedAt>> parse_predictions(std::string_view bytes,
                                                                     std::uint64_t number,
                                                                     std::uint64_t first_row);
[[nodiscard]] std::optional<FromFile<PredictedAt>> read_predictions(const std::string& folder,
                                                                    std::uint64_t number,
                                                                    std::uint64_t first_row);
/// The predictions of a range, checked against their name.
[[nodiscard]] std::optional<Blob> read_predicted(const std::string& folder,
                                                 std::uint64_t number,
                                                 std::uint64_t first_row);

}  // namespace gradmill::coordinator
