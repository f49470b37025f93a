#include "formats/model_tensors.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/number.h"
#include "formats/text.h"

namespace gradmill::formats {
namespace {

constexpr std::string_view kOurs = "gradmill ";
constexpr std::string_view kFormat = "gradmill 1";

/// Whether the number at `bytes` is finite, by its exponent bits: these must not all be one.
template <typename Bits>
bool is_finite(const char* bytes, Bits exponent) {
  Bits value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return (value & exponent) != exponent;
}

}  // namespace

std::string TensorInfo::name() const { return tensor_name(layer, bias); }

std::uint64_t TensorInfo::bytes() const {
  std::uint64_t bytes = ml::element_bytes(precision);
  for (const std::uint32_t units : shape) {
    bytes *= units;
  }
  return bytes;
}

Error not_a_model(const std::string& name, const std::string& why) {
  return invalid_input(name + ": is not a model: " + why);
}

std::string tensor_name(std::size_t layer, bool bias) {
  return "layers." + std::to_string(layer) + (bias ? ".bias" : ".weight");
}

TensorInfo tensor_named(std::string_view key, const std::string& name) {
  constexpr std::string_view kPrefix = "layers.";
  TensorInfo tensor;
  const std::size_t dot = key.rfind('.');
  if (key.starts_with(kPrefix) && dot >= kPrefix.size()) {
    const auto layer =
        parse_integer<std::uint32_t>(key.substr(kPrefix.size(), dot - kPrefix.size()));
    tensor.layer = layer.value_or(0);
    tensor.bias = key.ends_with(".bias");
    if (layer && *layer < ml::kLayersMax && key == tensor.name()) {
      return tensor;
    }
  }
  throw not_a_model(
      name, in_quotes(key) + " is no tensor of a model; layers.N.weight and layers.N.bias are");
}

void set_shape(TensorInfo& tensor, std::span<const std::uint64_t> shape, const std::string& name) {
  if (shape.size() != (tensor.bias ? 1 : 2)) {
    throw not_a_model(name,
                      tensor.name() + " needs shape " + (tensor.bias ? "[out]" : "[out, in]"));
  }
  for (const std::uint64_t units : shape) {
    if (units == 0 || units > ml::kUnitsMax) {
      throw not_a_model(name,
                        tensor.name() + " has " + std::to_string(units) + " in its shape; 1 to " +
                            std::to_string(ml::kUnitsMax) + " are allowed");
    }
    tensor.shape.push_back(static_cast<std::uint32_t>(units));
  }
}

bool in_file_order(const TensorInfo& a, const TensorInfo& b) {
  return std::pair(a.layer, a.bias) < std::pair(b.layer, b.bias);
}

ml::Topology topology_of(std::span<const TensorInfo> tensors, const std::string& name) {
  ml::Topology topology;
  for (std::size_t i = 0; i < tensors.size() || i % 2 != 0; ++i) {
    const std::size_t layer = i / 2;
    const bool bias = i % 2 != 0;
    if (i == tensors.size() || tensors[i].layer != layer || tensors[i].bias != bias) {
      throw not_a_model(name, tensor_name(layer, bias) + " is missing");
    }
    const TensorInfo& tensor = tensors[i];
    if (tensor.precision != tensors.front().precision) {
      throw not_a_model(name, tensor.name() + " has another dtype than " + tensors.front().name());
    }
    const std::uint32_t meets = bias ? tensor.shape[0] : tensor.shape[1];
    if (topology.units.empty()) {
      topology.units.push_back(meets);
    } else if (meets != topology.units.back()) {
      throw not_a_model(name,
                        tensor.name() + " does not fit the shape of " + tensors[i - 1].name());
    }
    if (!bias) {
      topology.units.push_back(tensor.shape[0]);
    }
  }
  if (ml::parameter_count(topology) == 0) {
    throw not_a_model(
        name,
        "it has no layers, or more than " + std::to_string(ml::kParametersMax) + " parameters");
  }
  return topology;
}

void check_model_format(const std::map<std::string, std::string>& metadata,
                        const std::string& name) {
  const auto format = metadata.find("format");
  if (format != metadata.end() && format->second.starts_with(kOurs) && format->second != kFormat) {
    throw not_a_model(name,
                      "its format is " + in_quotes(format->second) + ", and this release reads " +
                          in_quotes(kFormat));
  }
}

void check_deviation(std::span<const double> deviation, const std::string& name) {
  if (!std::all_of(deviation.begin(), deviation.end(), [](double one) { return one > 0; })) {
    throw not_a_model(name, "a deviation of its standardization is not above 0");
  }
}

std::optional<std::size_t> first_not_finite(std::string_view data, ml::Precision precision) {
  const std::size_t element = ml::element_bytes(precision);
  for (std::size_t offset = 0; offset < data.size(); offset += element) {
    const char* at = data.data() + offset;
    const bool finite = precision == ml::Precision::kFloat
                            ? is_finite<std::uint32_t>(at, 0x7F800000U)
                            : is_finite<std::uint64_t>(at, 0x7FF0000000000000U);
    if (!finite) {
      return offset / element;
    }
  }
  return std::nullopt;
}

}  // namespace gradmill::formats
