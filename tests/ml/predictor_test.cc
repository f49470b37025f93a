#include "ml/predictor.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "ml/both_precisions.h"
#include "ml/gradients.h"
#include "ml/parameter_bytes.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

using Units = std::vector<std::uint32_t>;

struct Predictions {
  std::vector<std::uint16_t> classes;
  std::vector<float> probabilities;
  friend bool operator==(const Predictions&, const Predictions&) = default;
};

RowsView view_of(const Shard& shard, std::size_t first, std::size_t rows) {
  RowsView view{rows, shard.features, {}};
  if (const auto* const bytes = std::get_if<std::vector<std::uint8_t>>(&shard.values)) {
    view.values = bytes->data() + first * shard.features;
  } else {
    view.values = std::get<std::vector<float>>(shard.values).data() + first * shard.features;
  }
  return view;
}

/// All rows of the shard, so many at a time.
Predictions predicted(Predictor& predictor, const Shard& shard, std::size_t at_once) {
  Predictions result{std::vector<std::uint16_t>(shard.rows), std::vector<float>(shard.rows)};
  for (std::size_t first = 0; first < shard.rows; first += at_once) {
    const std::size_t rows = std::min<std::size_t>(at_once, shard.rows - first);
    predictor.predict(view_of(shard, first, rows),
                      result.classes.data() + first,
                      result.probabilities.data() + first);
  }
  return result;
}

Shard with_labels(Shard shard, const std::vector<std::uint16_t>& labels) {
  shard.labels = labels;
  return shard;
}

/// Softmax of the logits that plain loops give, in double.
std::vector<double> probabilities_naive(const Net& net,
                                        const Shard& shard,
                                        const std::vector<double>& parameters,
                                        std::size_t row) {
  std::vector<double> input;
  for (std::size_t k = 0; k < shard.features; ++k) {
    input.push_back(shard.value(row, k));
  }
  const std::vector<LayerView> layers = layer_views(net.topology);
  for (std::size_t n = 0; n < layers.size(); ++n) {
    std::vector<double> output(layers[n].out);
    for (std::size_t o = 0; o < output.size(); ++o) {
      output[o] = parameters[layers[n].bias + o];
      for (std::size_t i = 0; i < input.size(); ++i) {
        output[o] += parameters[layers[n].weight + o * layers[n].in + i] * input[i];
      }
      if (n + 1 < layers.size() && net.activation == Activation::kTanh) {
        output[o] = std::tanh(output[o]);
      }
    }
    input = output;
  }
  double sum = 0;
  const double top = *std::max_element(input.begin(), input.end());
  for (double& value : input) {
    value = std::exp(value - top);
    sum += value;
  }
  for (double& value : input) {
    value /= sum;
  }
  return input;
}

template <class T>
class PredictorTest : public testing::Test {
 protected:
  static Network network_of(const Net& net, const std::vector<T>& parameters) {
    return {.topology = net.topology,
            .activation = net.activation,
            .precision = kPrecisionOf<T>,
            .standardization = {},
            .parameters = bytes_from<T>(parameters)};
  }
};
TYPED_TEST_SUITE(PredictorTest, Precisions, PrecisionNames);

// The second is beyond BlockKernel.
const std::vector<Units>& shapes() {
  static const std::vector<Units> kShapes = {{16, 24, 26}, {70, 130, 11}, {1, 2}, {3, 5, 4, 97}};
  return kShapes;
}

TYPED_TEST(PredictorTest, SaysTheSameWhateverRowsAreAskedAboutTogether) {
  for (const Units& units : shapes()) {
    const Net net{{units}, Activation::kTanh};
    const Shard shard = random_shard(1100, net.topology, 3);
    const auto parameters = sound_parameters<TypeParam>(net.topology, 4);
    const auto network = std::make_shared<const PreparedNetwork>(this->network_of(net, parameters));
    Predictor predictor(network);
    const Predictions all = predicted(predictor, shard, 1100);
    for (const std::size_t at_once : {1U, 7U, 16U, 385U}) {
      EXPECT_EQ(predicted(predictor, shard, at_once), all) << at_once;
    }
    Predictor other(network);
    EXPECT_EQ(predicted(other, shard, 33), all);
  }
}

TYPED_TEST(PredictorTest, AgreesWithItsTwin) {
  for (const Units& units : shapes()) {
    const Net net{{units}, Activation::kTanh};
    const Shard shard = random_shard(300, net.topology, 5);
    const auto parameters = sound_parameters<TypeParam>(net.topology, 6);
    Predictor predictor(std::make_shared<const PreparedNetwork>(this->network_of(net, parameters)));
    const Predictions got = predicted(predictor, shard, 300);
    const std::vector<double> wide(parameters.begin(), parameters.end());
    for (std::size_t row = 0; row < shard.rows; ++row) {
      const std::vector<double> expected = probabilities_naive(net, shard, wide, row);
      const double best = *std::max_element(expected.begin(), expected.end());
      EXPECT_NEAR(got.probabilities[row], best, 1e-5);
      EXPECT_NEAR(expected[got.classes[row]], best, 1e-5);
    }
  }
}

// Labels that are the predictions are met without an error by both kernels: their arithmetic is
// the predictor's.
TYPED_TEST(PredictorTest, SaysWhatValidationSays) {
  for (const Units& units : shapes()) {
    for (const Activation activation : kActivations) {
      const Net net{{units}, activation};
      const Shard shard = random_shard(900, net.topology, 7);
      const auto parameters = sound_parameters<TypeParam>(net.topology, 8);
      Network network = this->network_of(net, parameters);
      network.standardization = standardization_of(std::vector<Shard>{shard});
      Predictor predictor(std::make_shared<const PreparedNetwork>(network));
      const Predictions got = predicted(predictor, shard, 900);
      const Shard labelled = with_labels(shard, got.classes);
      TrainingRule rule;
      rule.topology = net.topology;
      rule.activation = activation;
      rule.precision = kPrecisionOf<TypeParam>;
      rule.standardization = network.standardization;
      for (const Optimizer optimizer : {Optimizer::kGd, Optimizer::kSgd}) {
        rule.optimizer = optimizer;
        const Samples samples = prepare_samples(labelled, rule);
        EXPECT_EQ(count_errors(rule, samples, bytes_from<TypeParam>(parameters), 1), 0U);
      }
    }
  }
}

TYPED_TEST(PredictorTest, BytesAreTheirNumbers) {
  const Net net{{{16, 24, 26}}};
  Shard bytes = random_shard(700, net.topology, 9);
  std::vector<std::uint8_t> values(std::size_t{700} * 16);
  for (std::size_t k = 0; k < values.size(); ++k) {
    values[k] = static_cast<std::uint8_t>(k * 37 + k / 11);
  }
  bytes.values = values;
  Shard floats = bytes;
  floats.values = std::vector<float>(values.begin(), values.end());
  const auto parameters = sound_parameters<TypeParam>(net.topology, 10);
  for (const bool standardized : {false, true}) {
    Network network = this->network_of(net, parameters);
    if (standardized) {
      network.standardization = standardization_of(std::vector<Shard>{bytes});
    }
    Predictor predictor(std::make_shared<const PreparedNetwork>(network));
    EXPECT_EQ(predicted(predictor, bytes, 700), predicted(predictor, floats, 700));
  }
}

TYPED_TEST(PredictorTest, GivesTiesToTheLowestClass) {
  for (const std::uint32_t features : {1U, 3000U}) {
    const Net net{{{features, 4}}};
    std::vector<TypeParam> parameters(parameter_count(net.topology));
    parameters[parameters.size() - 3] = 4;
    parameters[parameters.size() - 1] = 4;
    const Shard shard = random_shard(20, net.topology, 11);
    Predictor predictor(std::make_shared<const PreparedNetwork>(this->network_of(net, parameters)));
    EXPECT_EQ(predicted(predictor, shard, 20).classes, std::vector<std::uint16_t>(20, 1));
  }
}

TYPED_TEST(PredictorTest, DiesOfRowsThatDoNotFit) {
  const Net net{{{4, 3, 2}}};
  Predictor predictor(std::make_shared<const PreparedNetwork>(
      this->network_of(net, sound_parameters<TypeParam>(net.topology, 1))));
  const Shard narrower = random_shard(5, 3, 2, 1);
  EXPECT_DEATH(predicted(predictor, narrower, 5), "gradmill: bug:");
}

}  // namespace
}  // namespace gradmill::ml
