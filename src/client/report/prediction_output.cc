#include "client/report/prediction_output.h"

#include <array>
#include <charconv>
#include <cstring>
#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

float probability_at(const RowPredictions& predictions, std::size_t row) {
  float probability = 0;
  std::memcpy(&probability,
              predictions.probabilities.data() + row * sizeof probability,
              sizeof probability);
  return probability;
}

/// As many digits as tell it from other floats.
std::string number_text(float value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string in_json(const std::string& text) {
  return ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::uint16_t class_at(const RowPredictions& predictions, std::size_t row) {
  std::uint16_t index = 0;
  std::memcpy(&index, predictions.classes.data() + row * sizeof index, sizeof index);
  return index;
}

PredictionOutput::PredictionOutput(std::ostream& to, const ServedModel& model, Format format)
    : to_(to), model_(model), format_(format) {
  if (format_ == Format::kJson) {
    to_ << "{\n  \"model\": " << in_json(model_.model) << ",\n  \"version\": " << model_.version
        << ",\n  \"predictions\": [";
  }
}

void PredictionOutput::write(const RowPredictions& predictions, std::uint32_t rows) {
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint16_t index = class_at(predictions, row);
    const std::string& label = model_.labels.at(index);
    const std::string probability = number_text(probability_at(predictions, row));
    if (format_ == Format::kJson) {
      to_ << (is_first_ ? "\n" : ",\n") << "    {\"class\": " << index
          << ", \"label\": " << in_json(label) << ", \"probability\": " << probability << '}';
    } else {
      to_ << index << ' ' << label << ' ' << probability << '\n';
    }
    is_first_ = false;
  }
  to_ << std::flush;
}

void PredictionOutput::end(const std::optional<double>& accuracy) {
  if (format_ == Format::kJson) {
    to_ << "\n  ]";
    if (accuracy) {
      to_ << ",\n  \"accuracy\": " << ordered_json(*accuracy).dump();
    }
    to_ << "\n}\n" << std::flush;
  }
}

}  // namespace gradmill::client
