#include "formats/model_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/error.h"
#include "base/number.h"
#include "formats/text.h"

namespace gradmill::formats {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);
constexpr std::size_t kAlignment = 8;
// The metadata of the widest model, two numbers a feature, is some megabytes; safetensors itself
// allows 100 MB.
constexpr std::size_t kHeaderBytesMax = std::size_t{16} << 20U;
// Bounds what a small but dense header can make the parser allocate.
constexpr std::size_t kHeaderValuesMax = 100'000;
constexpr std::size_t kHeaderDepthMax = 3;  // File, tensor, shape.
constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kMeanKey = "standardization_mean";
constexpr const char* kDeviationKey = "standardization_deviation";

Error bad(const std::string& name, const std::string& why) {
  return invalid_input(name + ": is not a model: " + why);
}

const char* dtype_of(ml::Precision precision) {
  return precision == ml::Precision::kFloat ? "F32" : "F64";
}

std::string tensor_name(std::size_t layer, bool bias) {
  return "layers." + std::to_string(layer) + (bias ? ".bias" : ".weight");
}

/// Watches a header while it is parsed: refuses what JSON leaves open (a key twice) and what
/// costs too much.
class HeaderGuard {
 public:
  explicit HeaderGuard(const std::string& name) : name_(name) {}

  void see(json::parse_event_t event, const json& parsed) {
    if (++values_ > kHeaderValuesMax) {
      throw bad(name_, "its header has too many values");
    }
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        keys_.emplace_back();
        if (keys_.size() > kHeaderDepthMax) {
          throw bad(name_, "its header is nested too deeply");
        }
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        keys_.pop_back();
        break;
      case json::parse_event_t::key:
        if (!keys_.back().insert(parsed.get<std::string>()).second) {
          throw bad(name_,
                    "its header has " + in_quotes(parsed.get_ref<const std::string&>()) + " twice");
        }
        break;
      case json::parse_event_t::value:
        break;
    }
  }

 private:
  const std::string& name_;
  std::size_t values_ = 0;
  std::vector<std::set<std::string>> keys_;  ///< Of each open object; empty for an array.
};

json parse_header(std::string_view text, const std::string& name) {
  // The parser takes a NUL for the end and would not look at what follows.
  if (!text.starts_with('{') || text.find('\0') != std::string_view::npos) {
    throw bad(name, "its header is not JSON");
  }
  HeaderGuard guard(name);
  const auto watch = [&guard](int /*depth*/, json::parse_event_t event, const json& parsed) {
    guard.see(event, parsed);
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& error) {
    throw bad(name, "its header is not JSON from byte " + std::to_string(error.byte));
  } catch (const json::exception&) {
    throw bad(name, "its header is not JSON");
  }
}

/// One tensor of the header, its name and offsets not yet checked against the others.
struct Tensor {
  std::size_t layer = 0;
  bool bias = false;
  ml::Precision precision = ml::Precision::kFloat;
  std::vector<std::uint32_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::string name() const { return tensor_name(layer, bias); }
};

/// Sets layer and bias of `tensor` if `key` is the one spelling of a tensor's name.
bool read_name(std::string_view key, Tensor& tensor) {
  constexpr std::string_view kPrefix = "layers.";
  const std::size_t dot = key.rfind('.');
  if (!key.starts_with(kPrefix) || dot < kPrefix.size()) {
    return false;
  }
  const auto layer = parse_integer<std::uint32_t>(key.substr(kPrefix.size(), dot - kPrefix.size()));
  if (!layer || *layer >= ml::kLayersMax) {
    return false;
  }
  tensor.layer = *layer;
  tensor.bias = key.ends_with(".bias");
  return key == tensor.name();
}

/// The member `key` of `object` as `count` unsigned integers, if it is that.
std::optional<std::vector<std::uint64_t>> read_integers(const json& object,
                                                        const char* key,
                                                        std::size_t count) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array() || found->size() != count) {
    return std::nullopt;
  }
  std::vector<std::uint64_t> values;
  for (const json& item : *found) {
    if (!item.is_number_unsigned()) {
      return std::nullopt;
    }
    values.push_back(item.get<std::uint64_t>());
  }
  return values;
}

Tensor read_tensor(const std::string& key, const json& info, const std::string& name) {
  Tensor tensor;
  if (!read_name(key, tensor)) {
    throw bad(name,
              in_quotes(key) + " is no tensor of a model; layers.N.weight and layers.N.bias are");
  }
  const auto dtype = info.is_object() ? info.find("dtype") : info.end();
  if (dtype == info.end() || !dtype->is_string() || info.size() != 3) {
    throw bad(name, key + " needs dtype, shape and data_offsets, and nothing else");
  }
  if (*dtype == "F64") {
    tensor.precision = ml::Precision::kDouble;
  } else if (*dtype != "F32") {
    throw bad(name,
              key + " has dtype " + in_quotes(dtype->get_ref<const std::string&>()) +
                  "; F32 and F64 are supported");
  }
  const auto shape = read_integers(info, "shape", tensor.bias ? 1 : 2);
  if (!shape) {
    throw bad(name, key + " needs shape " + (tensor.bias ? "[out]" : "[out, in]"));
  }
  for (const std::uint64_t units : *shape) {
    if (units == 0 || units > ml::kUnitsMax) {
      throw bad(name,
                key + " has " + std::to_string(units) + " in its shape; 1 to " +
                    std::to_string(ml::kUnitsMax) + " are allowed");
    }
    tensor.shape.push_back(static_cast<std::uint32_t>(units));
  }
  const auto offsets = read_integers(info, "data_offsets", 2);
  if (!offsets) {
    throw bad(name, key + " needs data_offsets [begin, end]");
  }
  tensor.begin = offsets->front();
  tensor.end = offsets->back();
  return tensor;
}

/// Ascending layers, weight before bias.
bool in_file_order(const Tensor& a, const Tensor& b) {
  return std::pair(a.layer, a.bias) < std::pair(b.layer, b.bias);
}

std::map<std::string, std::string> read_metadata(const json& metadata, const std::string& name) {
  std::map<std::string, std::string> result;
  if (!metadata.is_object()) {
    throw bad(name, "its __metadata__ is no object");
  }
  for (const auto& [key, value] : metadata.items()) {
    if (!value.is_string()) {
      throw bad(name, "its metadata " + in_quotes(key) + " is no string");
    }
    result.emplace(key, value.get<std::string>());
  }
  return result;
}

/// The list of `count` numbers under `key`, which goes from `metadata`; empty if there is no such
/// key.
std::vector<double> take_numbers(std::map<std::string, std::string>& metadata,
                                 const char* key,
                                 std::size_t count,
                                 const std::string& name) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) {
    return {};
  }
  const auto wrong = [&] {
    return bad(name,
               "its metadata " + in_quotes(key) + " is no list of " + std::to_string(count) +
                   " finite numbers");
  };
  const std::string text = std::move(found->second);
  metadata.erase(found);
  const auto commas = static_cast<std::size_t>(std::count(text.begin(), text.end(), ','));
  if (commas + 1 != count || text.find('\0') != std::string::npos) {
    throw wrong();
  }
  // The number of commas bounds the values; this bounds the depth.
  const json list = json::parse(
      text,
      [&](int depth, json::parse_event_t event, const json& /*parsed*/) {
        if (depth > 0 && event != json::parse_event_t::value) {
          throw wrong();
        }
        return true;
      },
      false);
  if (!list.is_array() || list.size() != count) {
    throw wrong();
  }
  std::vector<double> numbers;
  numbers.reserve(count);
  for (const json& item : list) {
    if (!item.is_number()) {
      throw wrong();
    }
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

ml::Standardization take_standardization(std::map<std::string, std::string>& metadata,
                                         std::size_t features,
                                         const std::string& name) {
  ml::Standardization result;
  result.mean = take_numbers(metadata, kMeanKey, features, name);
  result.deviation = take_numbers(metadata, kDeviationKey, features, name);
  if (result.mean.size() != result.deviation.size()) {
    throw bad(name, "it has only one of standardization_mean and standardization_deviation");
  }
  if (!std::all_of(result.deviation.begin(), result.deviation.end(), [](double deviation) {
        return deviation > 0;
      })) {
    throw bad(name, "a deviation of its standardization is not above 0");
  }
  return result;
}

/// The topology of `tensors`, which are in file order: each layer once and whole, its inputs the
/// outputs of the layer before.
ml::Topology read_topology(const std::vector<Tensor>& tensors, const std::string& name) {
  ml::Topology topology;
  for (std::size_t i = 0; i < tensors.size() || i % 2 != 0; ++i) {
    const std::size_t layer = i / 2;
    const bool bias = i % 2 != 0;
    if (i == tensors.size() || tensors[i].layer != layer || tensors[i].bias != bias) {
      throw bad(name, tensor_name(layer, bias) + " is missing");
    }
    const Tensor& tensor = tensors[i];
    if (tensor.precision != tensors.front().precision) {
      throw bad(name, tensor.name() + " has another dtype than " + tensors.front().name());
    }
    if (bias) {
      if (tensor.shape[0] != topology.units.back()) {
        throw bad(name, tensor.name() + " does not fit the shape of " + tensors[i - 1].name());
      }
      continue;
    }
    if (topology.units.empty()) {
      topology.units.push_back(tensor.shape[1]);
    } else if (tensor.shape[1] != topology.units.back()) {
      throw bad(name, tensor.name() + " does not fit the shape of " + tensors[i - 1].name());
    }
    topology.units.push_back(tensor.shape[0]);
  }
  if (ml::parameter_count(topology) == 0) {
    throw bad(
        name,
        "it has no layers, or more than " + std::to_string(ml::kParametersMax) + " parameters");
  }
  return topology;
}

/// Checks that `tensors` tile the `data_bytes` of the data section, in file order.
void check_layout(std::vector<Tensor> tensors, std::uint64_t data_bytes, const std::string& name) {
  const std::uint64_t element = ml::element_bytes(tensors.front().precision);
  for (const Tensor& tensor : tensors) {
    std::uint64_t bytes = element;  // Units are capped, so this stays below 2^36.
    for (const std::uint32_t units : tensor.shape) {
      bytes *= units;
    }
    if (tensor.end < tensor.begin || tensor.end - tensor.begin != bytes) {
      throw bad(name, "data_offsets of " + tensor.name() + " do not fit its shape");
    }
  }
  const bool ordered =
      std::is_sorted(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) {
        return a.begin < b.begin;
      });
  std::sort(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) {
    return a.begin < b.begin;
  });
  std::uint64_t next = 0;
  for (const Tensor& tensor : tensors) {
    if (tensor.begin != next) {
      throw bad(name, "there is a gap or an overlap before the data of " + tensor.name());
    }
    next = tensor.end;
  }
  if (next != data_bytes) {
    throw bad(name,
              "its data section has " + std::to_string(data_bytes) +
                  " bytes; its header asks for " + std::to_string(next));
  }
  if (!ordered) {
    throw bad(name,
              "the order of the tensors in its data section is not supported; ascending layers, "
              "weight before bias, is");
  }
}

/// Whether the number at `bytes` is finite, by its exponent bits: these must not all be one.
template <typename Bits>
bool is_finite(const char* bytes, Bits exponent) {
  Bits value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return (value & exponent) != exponent;
}

void check_finite(std::string_view data, ml::Precision precision, const std::string& name) {
  const std::size_t element = ml::element_bytes(precision);
  for (std::size_t offset = 0; offset < data.size(); offset += element) {
    const char* at = data.data() + offset;
    const bool finite = precision == ml::Precision::kFloat
                            ? is_finite<std::uint32_t>(at, 0x7F800000U)
                            : is_finite<std::uint64_t>(at, 0x7FF0000000000000U);
    if (!finite) {
      throw bad(name, "parameter " + std::to_string(offset / element) + " is not finite");
    }
  }
}

}  // namespace

std::string encode_model_header(const ModelFile& model) {
  GRADMILL_CHECK(ml::parameter_count(model.topology) != 0);
  const std::uint64_t element = ml::element_bytes(model.precision);
  json header = json::object();
  const auto add =
      [&](const std::string& key, const json& shape, std::size_t begin, std::size_t end) {
        header[key] = {{"dtype", dtype_of(model.precision)},
                       {"shape", shape},
                       {"data_offsets", json::array({begin * element, end * element})}};
      };
  const auto views = ml::layer_views(model.topology);
  for (std::size_t n = 0; n < views.size(); ++n) {
    const ml::LayerView& view = views[n];
    add(tensor_name(n, false), json::array({view.out, view.in}), view.weight, view.bias);
    add(tensor_name(n, true), json::array({view.out}), view.bias, view.bias + view.out);
  }
  std::map<std::string, std::string> metadata = model.metadata;
  if (!model.standardization.empty()) {
    metadata[kMeanKey] = json(model.standardization.mean).dump();
    metadata[kDeviationKey] = json(model.standardization.deviation).dump();
  }
  if (!metadata.empty()) {
    header[kMetadataKey] = metadata;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    throw invalid_input("the metadata of the model is not UTF-8");
  }
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (text.size() > kHeaderBytesMax) {
    throw invalid_input("the metadata of the model is too large");
  }
  const std::uint64_t length = text.size();
  std::array<char, kLengthBytes> prefix{};
  std::memcpy(prefix.data(), &length, sizeof length);
  return std::string(prefix.data(), prefix.size()) + text;
}

ModelFile decode_model(std::string_view bytes, const std::string& name) {
  std::uint64_t length = 0;
  if (bytes.size() < kLengthBytes) {
    throw bad(name, "it has only " + std::to_string(bytes.size()) + " bytes");
  }
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - kLengthBytes || length > kHeaderBytesMax) {
    throw bad(name, "its header would have " + std::to_string(length) + " bytes");
  }
  const json header = parse_header(bytes.substr(kLengthBytes, length), name);
  const std::string_view data = bytes.substr(kLengthBytes + length);

  ModelFile model;
  std::vector<Tensor> tensors;
  for (const auto& [key, value] : header.items()) {
    if (key == kMetadataKey) {
      model.metadata = read_metadata(value, name);
    } else {
      tensors.push_back(read_tensor(key, value, name));
    }
  }
  std::sort(tensors.begin(), tensors.end(), in_file_order);
  model.topology = read_topology(tensors, name);
  check_layout(tensors, data.size(), name);
  model.precision = tensors.front().precision;
  check_finite(data, model.precision, name);
  model.standardization = take_standardization(model.metadata, model.topology.features(), name);
  model.parameters = data;
  return model;
}

}  // namespace gradmill::formats
