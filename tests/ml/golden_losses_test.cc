// Runs of an independent NumPy implementation: tests/data/make_golden_losses.py has the rule and
// the format.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ml/initial_parameters.h"
#include "ml/parameter_bytes.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

struct Golden {
  TrainingRule rule;
  std::uint32_t rows = 0;
  std::vector<double> losses;
  std::vector<double> parameters;
};

/// What follows `name` on the next line of `file`.
std::istringstream line_of(std::istream& file, const std::string& name) {
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line);
  std::string first;
  if (!(fields >> first) || first != name) {
    throw std::runtime_error("no " + name + " in " + line);
  }
  return fields;
}

std::vector<double> values_of(std::istream& file, const std::string& name) {
  std::istringstream fields = line_of(file, name);
  std::vector<double> values;
  for (double value = 0; fields >> value;) {
    values.push_back(value);
  }
  return values;
}

std::vector<Golden> read_golden() {
  std::ifstream file(GRADMILL_SOURCE_DIR "/tests/data/golden_losses.txt");
  std::vector<Golden> cases;
  while (file.peek() != std::ifstream::traits_type::eof()) {
    Golden golden;
    std::istringstream fields = line_of(file, "case");
    std::string activation;
    fields >> activation >> golden.rule.eta >> golden.rule.epochs >> golden.rows;
    golden.rule.activation = activation == "relu" ? Activation::kRelu : Activation::kMlPy;
    golden.rule.min_loss_change = 0;
    for (std::uint32_t units = 0; fields >> units;) {
      golden.rule.topology.units.push_back(units);
    }
    golden.losses = values_of(file, "losses");
    golden.parameters = values_of(file, "parameters");
    cases.push_back(std::move(golden));
  }
  return cases;
}

/// The script's made_shard.
Shard made_shard(std::uint32_t rows, const Topology& topology) {
  Shard shard;
  shard.rows = rows;
  shard.features = topology.features();
  shard.classes = topology.classes();
  std::vector<std::uint8_t> values;
  for (std::uint32_t row = 0; row < rows; ++row) {
    std::uint32_t sum = 0;
    for (std::uint32_t column = 0; column < shard.features; ++column) {
      values.push_back(static_cast<std::uint8_t>((row * 7 + column * 3 + row * column) % 10));
      sum += values.back();
    }
    sum += values[std::size_t{row} * shard.features];
    shard.labels.push_back(static_cast<std::uint16_t>(sum % shard.classes));
  }
  shard.values = std::move(values);
  return shard;
}

/// Steps one epoch at a time, and compares every loss and the parameters at the end.
template <class T>
void expect_golden(const Golden& golden, double tolerance) {
  TrainingRule rule = golden.rule;
  rule.precision = sizeof(T) == sizeof(double) ? Precision::kDouble : Precision::kFloat;
  rule.epochs = 1;
  std::vector<T> parameters;
  for (const double value : initial_parameters<double>(rule)) {
    parameters.push_back(static_cast<T>(50 * value));  // The script's START_SCALE.
  }
  const Samples samples = prepare_samples(made_shard(golden.rows, rule.topology), rule);
  ASSERT_EQ(golden.losses.size(), golden.rule.epochs);
  for (const double loss : golden.losses) {
    const TrainingResult result = train_shard(rule, samples, bytes_from<T>(parameters), {}, 1, {});
    EXPECT_NEAR(result.loss, loss, tolerance * loss);
    const std::vector<T> delta = parameters_from<T>(result.delta);
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      parameters[k] += delta[k];
    }
  }
  ASSERT_EQ(parameters.size(), golden.parameters.size());
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    EXPECT_NEAR(parameters[k], golden.parameters[k], tolerance) << "parameter " << k;
  }
}

TEST(GoldenLosses, AgreeInDouble) {
  const std::vector<Golden> cases = read_golden();
  EXPECT_EQ(cases.size(), 4);
  for (const Golden& golden : cases) {
    expect_golden<double>(golden, 1e-13);
  }
}

TEST(GoldenLosses, AgreeInFloat) {
  for (const Golden& golden : read_golden()) {
    expect_golden<float>(golden, 2e-5);
  }
}

}  // namespace
}  // namespace gradmill::ml
