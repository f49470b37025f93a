// Predictions as users see them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>

#include "client/request/request.h"
#include "protocol/prediction.h"

namespace gradmill::client {

/// Writes predictions as they come: a line a row, or one JSON object.
class PredictionOutput {
 public:
  /// Begins; `to` and `model` must outlive it.
  PredictionOutput(std::ostream& to, const ServedModel& model, Format format);
  /// Those of the next `rows` rows.
  void write(const RowPredictions& predictions, std::uint32_t rows);
  /// Nothing follows but, in JSON, the accuracy, if there is one.
  void end(const std::optional<double>& accuracy);

 private:
  std::ostream& to_;
  const ServedModel& model_;
  const Format format_;
  bool is_first_ = true;
};

/// The class of row `row`, an index from 0.
[[nodiscard]] std::uint16_t class_at(const RowPredictions& predictions, std::size_t row);

}  // namespace gradmill::client
