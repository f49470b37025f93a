#include "formats/onnx_file.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <onnx/onnx_pb.h>

#include "base/check.h"
#include "base/error.h"
#include "formats/model_tensors.h"
#include "ml/parameter_bytes.h"

namespace gradmill::formats {
namespace {

constexpr std::int64_t kIrVersion = 7;
constexpr std::int64_t kOpset = 13;
constexpr const char* kInput = "features";
constexpr const char* kOutput = "probabilities";
constexpr const char* kRows = "N";

/// The operator of an activation; null for the one that is the identity.
const char* operator_of(ml::Activation activation) {
  switch (activation) {
    case ml::Activation::kRelu:
      return "Relu";
    case ml::Activation::kTanh:
      return "Tanh";
    case ml::Activation::kSigmoid:
      return "Sigmoid";
    case ml::Activation::kMlPy:
      return nullptr;
  }
  return nullptr;
}

void add_tensor(onnx::GraphProto& graph,
                const std::string& name,
                const std::vector<std::int64_t>& shape,
                const std::string& floats) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : shape) {
    tensor.add_dims(size);
  }
  tensor.set_raw_data(floats);
}

/// Adds a node, whose output has its name. Returns that.
std::string add_node(onnx::GraphProto& graph,
                     const char* type,
                     const std::string& name,
                     const std::vector<std::string>& inputs) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(type);
  node.set_name(name);
  for (const std::string& input : inputs) {
    node.add_input(input);
  }
  node.add_output(name);
  return name;
}

void set_attribute(onnx::GraphProto& graph, const char* name, std::int64_t value) {
  onnx::AttributeProto& attribute = *graph.mutable_node()->rbegin()->add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

/// Makes `value` a float matrix of any number of rows.
void describe(onnx::ValueInfoProto& value, const char* name, std::uint32_t columns) {
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param(kRows);
  type.mutable_shape()->add_dim()->set_dim_value(columns);
}

std::string as_floats(const std::vector<double>& values, const std::string& what) {
  std::vector<float> floats;
  floats.reserve(values.size());
  for (const double value : values) {
    floats.push_back(static_cast<float>(value));
    if (!std::isfinite(floats.back())) {
      throw invalid_input(what + " of the model is too large for ONNX in float");
    }
  }
  return ml::bytes_from<float>(floats);
}

/// `count` parameters from `first` on, as floats.
std::string parameters(const ModelFile& model,
                       std::size_t first,
                       std::size_t count,
                       const std::string& tensor) {
  const std::size_t element = ml::element_bytes(model.precision);
  const std::string_view bytes =
      std::string_view(model.parameters).substr(first * element, count * element);
  if (model.precision == ml::Precision::kFloat) {
    return std::string(bytes);
  }
  return as_floats(ml::parameters_from<double>(bytes), tensor);
}

std::string add_standardization(onnx::GraphProto& graph,
                                const ml::Standardization& standardization) {
  const auto& [mean, deviation] = standardization;
  for (const double one : deviation) {
    if (!(static_cast<float>(one) > 0)) {
      throw invalid_input("a deviation of the model is too small for ONNX in float");
    }
  }
  const auto features = static_cast<std::int64_t>(mean.size());
  add_tensor(graph, "mean", {features}, as_floats(mean, "a mean"));
  add_tensor(graph, "std", {features}, as_floats(deviation, "a deviation"));
  const std::string centered = add_node(graph, "Sub", "centered", {kInput, "mean"});
  return add_node(graph, "Div", "standardized", {centered, "std"});
}

std::string add_layer(onnx::GraphProto& graph,
                      const ModelFile& model,
                      std::size_t n,
                      const ml::LayerView& view,
                      const std::string& input) {
  const std::string weight = tensor_name(n, false);
  const std::string bias = tensor_name(n, true);
  const std::size_t weights = std::size_t{view.out} * view.in;
  add_tensor(graph, weight, {view.out, view.in}, parameters(model, view.weight, weights, weight));
  add_tensor(graph, bias, {view.out}, parameters(model, view.bias, view.out, bias));
  std::string sums =
      add_node(graph, "Gemm", "layers." + std::to_string(n) + ".sums", {input, weight, bias});
  set_attribute(graph, "transB", 1);
  return sums;
}

void add_metadata(onnx::ModelProto& file, const ModelFile& model) {
  try {
    static_cast<void>(nlohmann::json(model.metadata).dump());
  } catch (const nlohmann::json::exception&) {
    throw invalid_input("the metadata of the model is not UTF-8");
  }
  for (const auto& [key, value] : model.metadata) {
    onnx::StringStringEntryProto& entry = *file.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
}

}  // namespace

std::string encode_onnx(const ModelFile& model) {
  GRADMILL_CHECK(ml::parameter_count(model.topology) != 0);
  const auto activation = activation_of(model, "the model");
  if (!activation) {
    throw invalid_input("the model does not say its activation, which ONNX needs");
  }
  onnx::ModelProto file;
  file.set_ir_version(kIrVersion);
  file.add_opset_import()->set_version(kOpset);
  file.set_producer_name("gradmill");
  file.set_producer_version(GRADMILL_VERSION);
  add_metadata(file, model);

  onnx::GraphProto& graph = *file.mutable_graph();
  graph.set_name("perceptron");
  describe(*graph.add_input(), kInput, model.topology.features());
  describe(*graph.add_output(), kOutput, model.topology.classes());
  std::string last = kInput;
  if (!model.standardization.empty()) {
    last = add_standardization(graph, model.standardization);
  }
  const auto views = ml::layer_views(model.topology);
  for (std::size_t n = 0; n < views.size(); ++n) {
    last = add_layer(graph, model, n, views[n], last);
    const char* const type = operator_of(*activation);
    if (n + 1 < views.size() && type != nullptr) {
      last = add_node(graph, type, "layers." + std::to_string(n) + ".units", {last});
    }
  }
  add_node(graph, "Softmax", kOutput, {last});
  set_attribute(graph, "axis", 1);
  std::string bytes;
  GRADMILL_CHECK(file.SerializeToString(&bytes));  // The caps keep it far below 2 GiB.
  return bytes;
}

}  // namespace gradmill::formats
