#include "formats/onnx_file.h"

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include "formats/error_of.h"
#include "formats/small_model.h"
#include "ml/parameter_bytes.h"

namespace gradmill::formats {
namespace {

using testing::ElementsAre;

/// What `model` becomes, once ONNX's own checker has found nothing wrong with it.
onnx::ModelProto checked(const ModelFile& model) {
  onnx::ModelProto file;
  EXPECT_TRUE(file.ParseFromString(encode_onnx(model)));
  EXPECT_NO_THROW(onnx::checker::check_model(file));
  onnx::ModelProto inferred = file;
  EXPECT_NO_THROW(onnx::shape_inference::InferShapes(
      inferred, onnx::OpSchemaRegistry::Instance(), {true, 1, false}));
  return file;
}

std::vector<std::string> operators(const onnx::ModelProto& file) {
  std::vector<std::string> types;
  for (const onnx::NodeProto& node : file.graph().node()) {
    types.push_back(node.op_type());
  }
  return types;
}

std::map<std::string, std::vector<float>> tensors(const onnx::ModelProto& file) {
  std::map<std::string, std::vector<float>> result;
  for (const onnx::TensorProto& tensor : file.graph().initializer()) {
    result[tensor.name()] = ml::parameters_from<float>(tensor.raw_data());
  }
  return result;
}

ModelFile standardized_model() {
  ModelFile model = float_model();
  model.standardization = {{0.5, -2, 0}, {1, 4, 0.1}};
  return model;
}

TEST(OnnxFile, HasOneInputAndOneOutputOfAnyNumberOfRows) {
  const onnx::ModelProto file = checked(standardized_model());
  EXPECT_EQ(file.ir_version(), 7);
  ASSERT_EQ(file.opset_import_size(), 1);
  EXPECT_EQ(file.opset_import(0).version(), 13);
  EXPECT_EQ(file.producer_version(), GRADMILL_VERSION);
  ASSERT_EQ(file.graph().input_size(), 1);
  ASSERT_EQ(file.graph().output_size(), 1);
  const auto expect = [](const onnx::ValueInfoProto& value, const char* name, int columns) {
    EXPECT_EQ(value.name(), name);
    EXPECT_EQ(value.type().tensor_type().elem_type(), onnx::TensorProto::FLOAT);
    ASSERT_EQ(value.type().tensor_type().shape().dim_size(), 2);
    EXPECT_EQ(value.type().tensor_type().shape().dim(0).dim_param(), "N");
    EXPECT_EQ(value.type().tensor_type().shape().dim(1).dim_value(), columns);
  };
  expect(file.graph().input(0), "features", 3);
  expect(file.graph().output(0), "probabilities", 4);
}

TEST(OnnxFile, StandardizesInItsGraph) {
  const onnx::ModelProto file = checked(standardized_model());
  EXPECT_THAT(operators(file), ElementsAre("Sub", "Div", "Gemm", "Relu", "Gemm", "Softmax"));
  EXPECT_THAT(tensors(file).at("mean"), ElementsAre(0.5F, -2, 0));
  EXPECT_THAT(tensors(file).at("std"), ElementsAre(1, 4, 0.1F));
  EXPECT_THAT(operators(checked(float_model())), ElementsAre("Gemm", "Relu", "Gemm", "Softmax"));
}

TEST(OnnxFile, HasAnOperatorForEachActivation) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"relu", {"Gemm", "Relu", "Gemm", "Softmax"}},
      {"tanh", {"Gemm", "Tanh", "Gemm", "Softmax"}},
      {"sigmoid", {"Gemm", "Sigmoid", "Gemm", "Softmax"}},
      {"ml-py", {"Gemm", "Gemm", "Softmax"}},
  };
  for (const auto& [activation, types] : expected) {
    ModelFile model = float_model();
    model.metadata["activation"] = activation;
    EXPECT_EQ(operators(checked(model)), types);
  }
}

TEST(OnnxFile, HasTheWeightsToTheLastBit) {
  const auto held = tensors(checked(float_model()));
  const std::string block = ml::bytes_from<float>(held.at("layers.0.weight")) +
                            ml::bytes_from<float>(held.at("layers.0.bias")) +
                            ml::bytes_from<float>(held.at("layers.1.weight")) +
                            ml::bytes_from<float>(held.at("layers.1.bias"));
  EXPECT_EQ(block, float_model().parameters);
  // A double n / 7 rounds to what dividing in float gives.
  EXPECT_EQ(tensors(checked(double_model())), held);
}

TEST(OnnxFile, SaysWhereItComesFrom) {
  std::map<std::string, std::string> held;
  const onnx::ModelProto file = checked(float_model());
  for (const onnx::StringStringEntryProto& entry : file.metadata_props()) {
    held[entry.key()] = entry.value();
  }
  EXPECT_EQ(held, float_model().metadata);
}

TEST(OnnxFile, HoldsTheDeepestTopology) {
  ModelFile model;
  model.topology.units.assign(65, 1);
  model.parameters.assign(std::size_t{64} * 2 * sizeof(float), '\0');
  model.metadata = {{"activation", "relu"}};
  EXPECT_EQ(checked(model).graph().node_size(), 64 + 63 + 1);
}

TEST(OnnxFile, IsTheSameForTheSameModel) {
  EXPECT_EQ(encode_onnx(standardized_model()), encode_onnx(standardized_model()));
}

TEST(OnnxFile, IsNotWrittenWithNumbersThatNoFloatHolds) {
  const auto refusal = [](const ModelFile& model) {
    return error_of([&] { return encode_onnx(model); });
  };
  ModelFile model = standardized_model();
  model.standardization.mean[1] = 1e300;
  EXPECT_EQ(refusal(model), "a mean of the model is too large for ONNX in float");
  model = standardized_model();
  model.standardization.deviation[1] = 1e300;
  EXPECT_EQ(refusal(model), "a deviation of the model is too large for ONNX in float");
  model.standardization.deviation[1] = 1e-300;
  EXPECT_EQ(refusal(model), "a deviation of the model is too small for ONNX in float");
  model = double_model();
  const double large = -1e39;
  std::memcpy(&model.parameters[19 * sizeof large], &large, sizeof large);
  EXPECT_EQ(refusal(model), "layers.1.bias of the model is too large for ONNX in float");
}

TEST(OnnxFile, IsNotWrittenWithoutAnActivationOrWithMetadataThatIsNoText) {
  ModelFile model = float_model();
  model.metadata["classes"] = "\xFF";
  EXPECT_EQ(error_of([&] { return encode_onnx(model); }), "the metadata of the model is not UTF-8");
  model.metadata.clear();
  EXPECT_EQ(error_of([&] { return encode_onnx(model); }),
            "the model does not say its activation, which ONNX needs");
  model.metadata["activation"] = "gelu";
  EXPECT_EQ(error_of([&] { return encode_onnx(model); }),
            "the model: is not a model: its activation 'gelu' is not known");
}

}  // namespace
}  // namespace gradmill::formats
