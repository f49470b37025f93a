// Rows on their way to a model, and what it says of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "ml/predictor.h"

namespace gradmill {

/// How a feature travels.
enum class ElementType { kByte, kFloat };

/// Raw features of rows, row by row, that somebody else owns.
struct RawRows {
  ElementType elements = ElementType::kByte;
  std::uint32_t rows = 0;      ///< >= 1.
  std::uint32_t features = 0;  ///< >= 1.
  std::string_view values;     ///< Bytes, or floats in little endian, aligned as such.
};

/// Throws Error(kInvalidInput) unless the values are as many as there should be, and finite; one
/// that is not is named by its row, from 1.
void check_rows(const RawRows& rows);
/// The rows as the kernels take them.
[[nodiscard]] ml::RowsView view_of(const RawRows& rows);

/// What a model says of rows, in their order.
struct RowPredictions {
  std::string classes;          ///< 16 bits a row, little endian.
  std::string probabilities;    ///< Of these classes: floats in little endian.
  std::int64_t compute_ns = 0;  ///< In the kernel.
};

/// Throws Error(kInvalidInput) unless there is an answer for each of `rows` rows, of a class below
/// `classes`.
void check_predictions(const RowPredictions& predictions,
                       std::uint32_t rows,
                       std::uint32_t classes);

/// Predictions of a prediction job, in the order of its rows.
struct JobPredictions {
  std::uint64_t first_row = 0;  ///< From 0.
  std::uint32_t rows = 0;       ///< 0: the job has ended, or none of these are known in time.
  RowPredictions predictions;
  bool ended = false;  ///< The job has, and none follow these.
};

/// Most rows whose predictions one call asks for.
inline constexpr std::uint32_t kPredictionRowsMax = 65'536;

/// A version of a model, as far as predictions go.
struct ServedModel {
  std::string model;
  std::uint32_t version = 0;
  BlobRef file;                     ///< The whole model file.
  std::uint32_t features = 0;       ///< Of a row.
  std::vector<std::string> labels;  ///< The original one of each class.
};

/// Throws Error(kInvalidInput) unless features and labels are within the caps of models.
void check_served_model(const ServedModel& model);

/// Predictions, and whose they are.
struct ModelPredictions {
  std::string model;
  std::uint32_t version = 0;
  RowPredictions rows;
  std::int64_t queue_ns = 0;  ///< Waited for a node, perhaps together with other requests.
};

}  // namespace gradmill
