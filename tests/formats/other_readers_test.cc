// What others make of our model files: OpenCV runs the ONNX, NumPy opens the npz.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/dnn.hpp>

#include "base/durable_file.h"
#include "formats/csv.h"
#include "formats/model_format.h"
#include "formats/onnx_file.h"
#include "ml/activation_name.h"
#include "ml/server_optimizer.h"
#include "ml/standardization.h"
#include "ml/train_shard.h"

namespace gradmill::formats {
namespace {

/// All of data/letters, each file a shard; the last one is for validation.
const std::vector<ml::Shard>& letters() {
  static const std::vector<ml::Shard> shards = [] {
    std::vector<std::string> names;
    for (int k = 1; k <= 11; ++k) {
      names.push_back("train_letters" + std::to_string(k) + ".txt");
    }
    names.emplace_back("validate_letters.txt");
    std::vector<ml::Shard> read;
    for (const std::string& name : names) {
      const std::string path = std::string(GRADMILL_SOURCE_DIR "/data/letters/") + name;
      read.push_back(parse_csv(read_file(path, 1U << 24U), name, {}));
    }
    return read;
  }();
  return shards;
}

ml::TrainingRule rule_with(ml::Activation activation, ml::Precision precision, bool standardize) {
  ml::TrainingRule rule;
  rule.topology.units = {16, 24, 26};
  if (activation == ml::Activation::kTanh) {
    rule.topology.units = {16, 48, 24, 26};
  }
  rule.activation = activation;
  rule.precision = precision;
  rule.optimizer = ml::Optimizer::kAdam;
  rule.eta = 0.01;
  rule.epochs = 1;
  rule.batch_size = 64;
  if (standardize) {
    rule.standardization = ml::standardization_of(letters());
  }
  return rule;
}

/// A trained model: a pass over each training shard, one after the other.
ModelFile trained(const ml::TrainingRule& rule) {
  std::string weights = ml::initial_parameter_bytes(rule);
  ml::ServerState state;
  for (std::uint32_t k = 0; k < 11; ++k) {
    const ml::Samples samples = ml::prepare_samples(letters()[k], rule);
    const ml::TrainingResult result =
        ml::train_shard(rule, samples, weights, {k + 1, 11, k}, 1, {});
    const std::vector<ml::WeightedDelta> deltas = {{result.delta, letters()[k].rows}};
    weights = ml::server_step(weights, deltas, rule.precision, {}, k + 1, state);
  }
  return {.topology = rule.topology,
          .precision = rule.precision,
          .standardization = rule.standardization,
          .metadata = {{"activation", std::string(name_of(rule.activation))}, {"job", "\xC3\xA4"}},
          .parameters = std::move(weights)};
}

/// The shard's raw rows.
cv::Mat rows_of(const ml::Shard& shard) {
  cv::Mat rows(static_cast<int>(shard.rows), static_cast<int>(shard.features), CV_32F);
  for (std::uint32_t row = 0; row < shard.rows; ++row) {
    for (std::uint32_t column = 0; column < shard.features; ++column) {
      rows.at<float>(static_cast<int>(row), static_cast<int>(column)) = shard.value(row, column);
    }
  }
  return rows;
}

/// The shard with the most probable classes of its rows for labels.
ml::Shard labelled(ml::Shard shard, const cv::Mat& probabilities) {
  EXPECT_EQ(probabilities.rows, static_cast<int>(shard.rows));
  EXPECT_EQ(probabilities.cols, 26);
  for (int row = 0; row < probabilities.rows; ++row) {
    const float* const first = probabilities.ptr<float>(row);
    EXPECT_NEAR(cv::sum(probabilities.row(row))[0], 1, 1e-5);
    shard.labels.at(static_cast<std::size_t>(row)) =
        static_cast<std::uint16_t>(std::max_element(first, first + 26) - first);
  }
  shard.classes = 26;
  return shard;
}

/// OpenCV and our kernel put all rows of the letters in the same classes.
void expect_same_classes(const ml::TrainingRule& rule, std::size_t errors_max) {
  const ModelFile model = trained(rule);
  const std::string file = encode_onnx(model);
  cv::dnn::Net network = cv::dnn::readNetFromONNX(file.data(), file.size());
  EXPECT_EQ(network.getUnconnectedOutLayersNames(), std::vector<cv::String>{"probabilities"});
  std::size_t errors = 0;
  std::size_t differences = 0;
  for (const ml::Shard& shard : letters()) {
    network.setInput(rows_of(shard), "features");
    const ml::Shard theirs = labelled(shard, network.forward("probabilities"));
    differences += ml::count_errors(rule, ml::prepare_samples(theirs, rule), model.parameters, 1);
    errors += ml::count_errors(rule, ml::prepare_samples(shard, rule), model.parameters, 1);
  }
  EXPECT_EQ(differences, 0);
  EXPECT_LT(errors, errors_max);  // So that it is not all the same class.
}

TEST(OpenCv, SeesTheSameClassesWithRelu) {
  expect_same_classes(rule_with(ml::Activation::kRelu, ml::Precision::kFloat, true), 10'000);
}

TEST(OpenCv, SeesTheSameClassesWithTanhInTwoLayers) {
  expect_same_classes(rule_with(ml::Activation::kTanh, ml::Precision::kFloat, true), 10'000);
}

TEST(OpenCv, SeesTheSameClassesWithSigmoidOnRawFeatures) {
  expect_same_classes(rule_with(ml::Activation::kSigmoid, ml::Precision::kFloat, false), 10'000);
}

TEST(OpenCv, SeesTheSameClassesWithoutAnActivation) {
  expect_same_classes(rule_with(ml::Activation::kMlPy, ml::Precision::kFloat, true), 10'000);
}

TEST(OpenCv, SeesTheSameClassesOfAModelInDouble) {
  expect_same_classes(rule_with(ml::Activation::kRelu, ml::Precision::kDouble, true), 10'000);
}

TEST(NumPy, OpensTheNpzAndWritesOneThatWeRead) {
  std::string name = (std::filesystem::temp_directory_path() / "gradmill-test-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const auto path = [&](const char* file) { return (folder / file).string(); };
  for (const ml::Precision precision : {ml::Precision::kFloat, ml::Precision::kDouble}) {
    const ModelFile model = trained(rule_with(ml::Activation::kRelu, precision, true));
    write_model_file(path("m.npz"), model);
    write_model_file(path("m.safetensors"), model);
    // Debian's, for which its NumPy is.
    const std::string command =
        "/usr/bin/python3 -B " GRADMILL_SOURCE_DIR "/tests/formats/read_npz.py " + path("m.npz") +
        ' ' + path("m.safetensors") + ' ' + path("plain.npz");
    EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT(concurrency-mt-unsafe): one thread.
    const ModelFile plain = read_model_file(path("plain.npz"));
    EXPECT_EQ(plain.topology, model.topology);
    EXPECT_EQ(plain.parameters, model.parameters);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gradmill::formats
