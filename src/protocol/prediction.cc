#include "protocol/prediction.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "base/error.h"
#include "ml/topology.h"

namespace gradmill {
namespace {

constexpr std::uint32_t kInfinityBits = 0x7F800000;

/// Whether all floats are finite: their exponent bits are not all set.
bool is_finite(const char* floats, std::size_t count) {
  std::uint32_t bad = 0;
  for (std::size_t k = 0; k < count; ++k) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, floats + k * sizeof bits, sizeof bits);
    bad |= (bits & kInfinityBits) == kInfinityBits ? 1U : 0U;
  }
  return bad == 0;
}

}  // namespace

void check_rows(const RawRows& rows) {
  static_assert(std::endian::native == std::endian::little, "rows are little endian");
  const std::uint64_t element = rows.elements == ElementType::kByte ? 1 : sizeof(float);
  if (rows.rows == 0 || rows.features == 0) {
    throw invalid_input("there are no rows to predict");
  }
  // The product of two numbers of 32 bits fits, and its quadruple need not.
  const std::uint64_t count = std::uint64_t{rows.rows} * rows.features;
  if (rows.values.size() % element != 0 || rows.values.size() / element != count) {
    throw invalid_input(std::to_string(rows.rows) + " rows of " + std::to_string(rows.features) +
                        " features are announced, and " + std::to_string(rows.values.size()) +
                        " bytes were sent");
  }
  if (rows.elements == ElementType::kByte) {
    return;
  }
  if (is_finite(rows.values.data(), count)) {
    return;
  }
  const std::size_t bytes_of_row = rows.features * sizeof(float);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    if (!is_finite(rows.values.data() + row * bytes_of_row, rows.features)) {
      throw invalid_input("row " + std::to_string(row + 1) +
                          " has a feature that is not a finite number");
    }
  }
}

ml::RowsView view_of(const RawRows& rows) {
  ml::RowsView view{.rows = rows.rows, .features = rows.features, .values = {}};
  if (rows.elements == ElementType::kByte) {
    view.values = reinterpret_cast<const std::uint8_t*>(rows.values.data());
  } else {
    view.values = reinterpret_cast<const float*>(rows.values.data());
  }
  return view;
}

void check_predictions(const RowPredictions& predictions,
                       std::uint32_t rows,
                       std::uint32_t classes) {
  if (predictions.classes.size() != std::size_t{rows} * sizeof(std::uint16_t) ||
      predictions.probabilities.size() != std::size_t{rows} * sizeof(float)) {
    throw invalid_input("predictions are not as many as rows");
  }
  std::uint32_t largest = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint16_t one = 0;
    std::memcpy(&one, predictions.classes.data() + row * sizeof one, sizeof one);
    largest = one > largest ? one : largest;
  }
  if (largest >= classes) {
    throw invalid_input("a prediction is no class of the model");
  }
}

void check_served_model(const ServedModel& model) {
  if (model.features == 0 || model.labels.empty()) {
    throw invalid_input("a model without features or classes");
  }
  if (model.features > ml::kUnitsMax || model.labels.size() > ml::kUnitsMax) {
    throw invalid_input("a model has at most " + std::to_string(ml::kUnitsMax) +
                        " features and classes");
  }
}

}  // namespace gradmill
