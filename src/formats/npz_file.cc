#include "formats/npz_file.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/error.h"
#include "formats/model_tensors.h"
#include "formats/npy_array.h"
#include "formats/strict_json.h"
#include "formats/text.h"
#include "formats/zip_archive.h"
#include "ml/parameter_bytes.h"

namespace gradmill::formats {
namespace {

using nlohmann::json;

constexpr std::string_view kEnding = ".npy";
constexpr const char* kMean = "mean";
constexpr const char* kDeviation = "std";
constexpr const char* kMetadata = "metadata";
constexpr std::size_t kArraysMax = 2 * ml::kLayersMax + 3;
constexpr std::size_t kCharacterBytes = 4;  // Of NumPy's text.

std::string dtype_of(ml::Precision precision) {
  return precision == ml::Precision::kFloat ? "<f4" : "<f8";
}

std::optional<ml::Precision> precision_of(const std::string& dtype) {
  for (const ml::Precision precision : {ml::Precision::kFloat, ml::Precision::kDouble}) {
    if (dtype == dtype_of(precision)) {
      return precision;
    }
  }
  return std::nullopt;
}

ZipContent content(const std::string& array,
                   const std::string& dtype,
                   const std::vector<std::uint64_t>& shape,
                   std::string_view data) {
  return {array + std::string(kEnding), npy_header(dtype, shape), data};
}

std::string_view bytes_of(const std::vector<double>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
}

/// JSON in ASCII, each character in four bytes.
std::string wide_json(const std::map<std::string, std::string>& metadata) {
  std::string text;
  try {
    text = json(metadata).dump(-1, ' ', true);
  } catch (const json::exception&) {
    throw invalid_input("the metadata of the model is not UTF-8");
  }
  std::string wide(text.size() * kCharacterBytes, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    wide[i * kCharacterBytes] = text[i];
  }
  return wide;
}

/// What messages about an array begin with.
std::string about(const std::string& name, std::string_view array) {
  return name + ": is not a model: " + std::string(array);
}

ml::Precision check_numbers(const NpyArray& array, const std::string& what) {
  const auto precision = precision_of(array.dtype);
  if (!precision) {
    throw invalid_input(what + " has dtype " + in_quotes(array.dtype) +
                        "; <f4 and <f8 are supported");
  }
  check_elements(array, ml::element_bytes(*precision), what);
  if (const auto wrong = first_not_finite(array.data(), *precision)) {
    throw invalid_input(what + " is not finite at " + std::to_string(*wrong));
  }
  return *precision;
}

/// A tensor and its array.
struct Tensor {
  TensorInfo info;
  NpyArray array;
};

Tensor read_tensor(NpyArray array, std::string_view key, const std::string& name) {
  Tensor tensor{.info = tensor_named(key, name), .array = {}};
  set_shape(tensor.info, array.shape, name);
  tensor.info.precision = check_numbers(array, about(name, key));
  tensor.array = std::move(array);
  return tensor;
}

std::vector<double> read_vector(const NpyArray& array, const std::string& what) {
  if (check_numbers(array, what) == ml::Precision::kDouble) {
    return ml::parameters_from<double>(array.data());
  }
  const std::vector<float> values = ml::parameters_from<float>(array.data());
  return {values.begin(), values.end()};
}

/// The text of a scalar, or of an array with one element.
std::string read_text(const NpyArray& array, const std::string& what) {
  const bool wide = array.dtype.starts_with("<U");
  const bool one = array.shape.empty() || array.shape == std::vector<std::uint64_t>{1};
  const std::size_t step = wide ? kCharacterBytes : 1;
  const std::string_view data = array.data();
  const std::string dtype = (wide ? "<U" : "|S") + std::to_string(data.size() / step);
  if (!one || array.dtype != dtype || data.size() % step != 0) {
    throw invalid_input(what + " is not one text: dtype <U or |S, shape () or (1,)");
  }
  std::string text;
  text.reserve(data.size() / step);
  for (std::size_t i = 0; i < data.size(); i += step) {
    const std::string_view rest = data.substr(i + 1, step - 1);
    if (static_cast<unsigned char>(data[i]) > 0x7F ||
        rest.find_first_not_of('\0') != std::string_view::npos) {
      throw invalid_input(what + " has characters beyond ASCII; JSON's \\u escapes spell them");
    }
    text += data[i];
  }
  text.erase(text.find_last_not_of('\0') + 1);  // NumPy pads texts that are shorter.
  return text;
}

std::map<std::string, std::string> read_metadata(const NpyArray& array, const std::string& what) {
  const std::string text = read_text(array, what);
  auto metadata = strings_of(parse_strict_json(text, what), what);
  for (const char* const key : {"standardization_mean", "standardization_deviation"}) {
    if (metadata.contains(key)) {
      throw invalid_input(what + " has " + key + "; the arrays mean and std say it");
    }
  }
  return metadata;
}

void check_standardization(const ml::Standardization& standardization,
                           std::size_t features,
                           const std::string& name) {
  if (standardization.mean.size() != standardization.deviation.size()) {
    throw not_a_model(name, "mean and std do not have the same shape, or one is missing");
  }
  if (!standardization.empty() && standardization.mean.size() != features) {
    throw not_a_model(name, "mean and std need shape (" + std::to_string(features) + ",)");
  }
  check_deviation(standardization.deviation, name);
}

/// The tensors' data, in file order; takes them apart, since a model may be large.
std::string joined(std::vector<Tensor> tensors) {
  std::size_t bytes = 0;
  for (const Tensor& tensor : tensors) {
    bytes += tensor.array.data().size();
  }
  std::string data;
  data.reserve(bytes);
  for (Tensor& tensor : tensors) {
    data += tensor.array.data();
    tensor.array = {};
  }
  return data;
}

}  // namespace

std::string encode_npz(const ModelFile& model) {
  GRADMILL_CHECK(ml::parameter_count(model.topology) != 0);
  const std::string dtype = dtype_of(model.precision);
  const std::size_t element = ml::element_bytes(model.precision);
  const std::string_view data = model.parameters;
  GRADMILL_CHECK(data.size() == ml::parameter_count(model.topology) * element);
  std::vector<ZipContent> contents;
  const auto views = ml::layer_views(model.topology);
  for (std::size_t n = 0; n < views.size(); ++n) {
    const ml::LayerView& view = views[n];
    const std::size_t weight = view.weight * element;
    const std::size_t bias = view.bias * element;
    contents.push_back(content(
        tensor_name(n, false), dtype, {view.out, view.in}, data.substr(weight, bias - weight)));
    contents.push_back(
        content(tensor_name(n, true), dtype, {view.out}, data.substr(bias, view.out * element)));
  }
  if (!model.standardization.empty()) {
    const auto& [mean, deviation] = model.standardization;
    contents.push_back(content(kMean, "<f8", {mean.size()}, bytes_of(mean)));
    contents.push_back(content(kDeviation, "<f8", {deviation.size()}, bytes_of(deviation)));
  }
  std::string text;
  if (!model.metadata.empty()) {
    text = wide_json(model.metadata);
    contents.push_back(
        content(kMetadata, "<U" + std::to_string(text.size() / kCharacterBytes), {}, text));
  }
  return write_zip(contents);
}

ModelFile decode_npz(std::string_view bytes, const std::string& name) {
  const ZipReader zip(bytes, kArraysMax, name + ": is not a model:");
  ModelFile model;
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < zip.entries().size(); ++i) {
    const std::string& file = zip.entries()[i].name;
    if (!file.ends_with(kEnding)) {
      throw not_a_model(name, in_quotes(file) + " is no .npy file");
    }
    const std::string key = file.substr(0, file.size() - kEnding.size());
    const bool vector = key == kMean || key == kDeviation;
    if (!vector && key != kMetadata) {
      static_cast<void>(tensor_named(key, name));  // So that no message has a name of any kind.
    }
    const std::string what = about(name, key);
    NpyArray array = parse_npy(zip.read(i), what);
    if (vector) {
      auto& [mean, deviation] = model.standardization;
      (key == kMean ? mean : deviation) = read_vector(array, what);
    } else if (key == kMetadata) {
      model.metadata = read_metadata(array, what);
      check_model_format(model.metadata, name);
    } else {
      tensors.push_back(read_tensor(std::move(array), key, name));
    }
  }
  const std::vector<TensorInfo> infos = put_in_file_order(tensors);
  model.topology = topology_of(infos, name);
  model.precision = infos.front().precision;
  check_standardization(model.standardization, model.topology.features(), name);
  model.parameters = joined(std::move(tensors));
  return model;
}

}  // namespace gradmill::formats
