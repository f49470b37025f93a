// Trains small fixed jobs and prints hashes of what comes of them: programs built for different
// instruction sets must print the same.
#include <bit>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "ml/average.h"
#include "ml/random_shard.h"
#include "ml/train_shard.h"

namespace gradmill::ml {
namespace {

/// FNV-1a of 64 bits.
std::uint64_t hash(std::string_view bytes) {
  std::uint64_t value = 0xCBF29CE484222325U;
  for (const char byte : bytes) {
    value = (value ^ static_cast<std::uint8_t>(byte)) * 0x100000001B3U;
  }
  return value;
}

/// Trains two rounds on two shards, and prints the hashes of the parameters and of the losses, and
/// the errors on a third shard.
void print_fingerprint(const TrainingRule& rule) {
  std::vector<Samples> samples;
  for (const std::uint32_t rows : {500U, 385U, 200U}) {
    samples.push_back(prepare_samples(random_shard(rows, rule.topology, rows), rule));
  }
  std::string parameters = initial_parameter_bytes(rule);
  std::string losses;
  for (int round = 0; round < 2; ++round) {
    const TrainingResult first = train_shard(rule, samples[0], parameters, 1, {});
    const TrainingResult second = train_shard(rule, samples[1], parameters, 1, {});
    const std::vector<WeightedDelta> deltas = {{first.delta, 500}, {second.delta, 385}};
    parameters = apply_average(parameters, deltas, rule.precision);
    for (const TrainingResult* result : {&first, &second}) {
      losses += std::to_string(std::bit_cast<std::uint64_t>(result->loss)) + " ";
    }
  }
  for (const std::uint32_t units : rule.topology.units) {
    static_cast<void>(std::printf("%u-", units));
  }
  static_cast<void>(std::printf("%s %s %016llx %016llx %zu\n",
                                rule.activation == Activation::kRelu ? "relu" : "ml-py",
                                rule.precision == Precision::kFloat ? "float" : "double",
                                static_cast<unsigned long long>(hash(parameters)),
                                static_cast<unsigned long long>(hash(losses)),
                                count_errors(rule, samples[2], parameters, 1)));
}

void print_all() {
  const std::vector<std::vector<std::uint32_t>> topologies = {
      {16, 24, 26}, {1, 1, 2}, {9, 31, 4}, {5, 17, 12, 33, 3}, {7, 5}, {3, 1030, 2}};
  for (const auto& units : topologies) {
    for (const Activation activation : {Activation::kRelu, Activation::kMlPy}) {
      for (const Precision precision : {Precision::kFloat, Precision::kDouble}) {
        TrainingRule rule;
        rule.topology.units = units;
        rule.activation = activation;
        rule.precision = precision;
        rule.eta = 0.01;
        rule.epochs = 4;
        rule.min_loss_change = 0;
        print_fingerprint(rule);
      }
    }
  }
}

}  // namespace
}  // namespace gradmill::ml

int main() {
  try {
    gradmill::ml::print_all();
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "%s\n", error.what()));
    return 1;
  }
  return 0;
}
