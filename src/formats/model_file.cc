#include "formats/model_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/error.h"
#include "formats/model_tensors.h"
#include "formats/strict_json.h"
#include "formats/text.h"
#include "ml/activation_name.h"

namespace gradmill::formats {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);
constexpr std::size_t kAlignment = 8;
// The metadata of the widest model, two numbers a feature, is some megabytes; safetensors itself
// allows 100 MB.
constexpr std::size_t kHeaderBytesMax = std::size_t{16} << 20U;
constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kMeanKey = "standardization_mean";
constexpr const char* kDeviationKey = "standardization_deviation";

const char* dtype_of(ml::Precision precision) {
  return precision == ml::Precision::kFloat ? "F32" : "F64";
}

/// One tensor of the header, not yet checked against the others.
struct Tensor {
  TensorInfo info;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

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

Tensor read_tensor(const std::string& key, const json& value, const std::string& name) {
  Tensor tensor{.info = tensor_named(key, name)};
  const auto dtype = value.is_object() ? value.find("dtype") : value.end();
  if (dtype == value.end() || !dtype->is_string() || value.size() != 3) {
    throw not_a_model(name, key + " needs dtype, shape and data_offsets, and nothing else");
  }
  if (*dtype == "F64") {
    tensor.info.precision = ml::Precision::kDouble;
  } else if (*dtype != "F32") {
    throw not_a_model(name,
                      key + " has dtype " + in_quotes(dtype->get_ref<const std::string&>()) +
                          "; F32 and F64 are supported");
  }
  set_shape(tensor.info,
            read_integers(value, "shape", tensor.info.bias ? 1 : 2)
                .value_or(std::vector<std::uint64_t>{}),
            name);
  const auto offsets = read_integers(value, "data_offsets", 2);
  if (!offsets) {
    throw not_a_model(name, key + " needs data_offsets [begin, end]");
  }
  tensor.begin = offsets->front();
  tensor.end = offsets->back();
  return tensor;
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
    return not_a_model(name,
                       "its metadata " + in_quotes(key) + " is no list of " +
                           std::to_string(count) + " finite numbers");
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
    throw not_a_model(name,
                      "it has only one of standardization_mean and standardization_deviation");
  }
  check_deviation(result.deviation, name);
  return result;
}

/// Checks that `tensors` tile the `data_bytes` of the data section, in file order.
void check_layout(std::vector<Tensor> tensors, std::uint64_t data_bytes, const std::string& name) {
  for (const Tensor& tensor : tensors) {
    if (tensor.end < tensor.begin || tensor.end - tensor.begin != tensor.info.bytes()) {
      throw not_a_model(name, "data_offsets of " + tensor.info.name() + " do not fit its shape");
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
      throw not_a_model(name,
                        "there is a gap or an overlap before the data of " + tensor.info.name());
    }
    next = tensor.end;
  }
  if (next != data_bytes) {
    throw not_a_model(name,
                      "its data section has " + std::to_string(data_bytes) +
                          " bytes; its header asks for " + std::to_string(next));
  }
  if (!ordered) {
    throw not_a_model(
        name,
        "the order of the tensors in its data section is not supported; ascending layers, "
        "weight before bias, is");
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

std::optional<ml::Activation> activation_of(const ModelFile& model, const std::string& name) {
  const auto text = model.metadata.find("activation");
  if (text == model.metadata.end()) {
    return std::nullopt;
  }
  const auto& names = ml::kActivationNames;
  const auto found = std::find(names.begin(), names.end(), text->second);
  if (found == names.end()) {
    throw not_a_model(name, "its activation " + in_quotes(text->second) + " is not known");
  }
  return static_cast<ml::Activation>(found - names.begin());
}

ModelFile decode_model(std::string_view bytes, const std::string& name) {
  std::uint64_t length = 0;
  if (bytes.size() < kLengthBytes) {
    throw not_a_model(name, "it has only " + std::to_string(bytes.size()) + " bytes");
  }
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - kLengthBytes || length > kHeaderBytesMax) {
    throw not_a_model(name,
                      "its header would have " + std::to_string(length) + " of its " +
                          std::to_string(bytes.size()) +
                          " bytes: it is cut off, too large, or no safetensors file");
  }
  const json header =
      parse_strict_json(bytes.substr(kLengthBytes, length), name + ": is not a model: its header");
  const std::string_view data = bytes.substr(kLengthBytes + length);

  ModelFile model;
  std::vector<Tensor> tensors;
  for (const auto& [key, value] : header.items()) {
    if (key == kMetadataKey) {
      model.metadata = strings_of(value, name + ": is not a model: its metadata");
      check_model_format(model.metadata, name);
    } else {
      tensors.push_back(read_tensor(key, value, name));
    }
  }
  const std::vector<TensorInfo> infos = put_in_file_order(tensors);
  model.topology = topology_of(infos, name);
  check_layout(tensors, data.size(), name);
  model.precision = infos.front().precision;
  if (const auto wrong = first_not_finite(data, model.precision)) {
    throw not_a_model(name, "parameter " + std::to_string(*wrong) + " is not finite");
  }
  model.standardization = take_standardization(model.metadata, model.topology.features(), name);
  model.parameters = data;
  return model;
}

}  // namespace gradmill::formats
