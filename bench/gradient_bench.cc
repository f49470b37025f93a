// Passes of the gradient kernel and of its naive twin over a shard of letters' shape: 16 features
// and 26 classes. FLOP/s counts the products alone, as ml::pass_flop does.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "ml/gradient.h"
#include "ml/gradient_naive.h"
#include "ml/initial_parameters.h"

namespace gradmill::ml {
namespace {

Shard letters_like(std::uint32_t rows) {
  std::mt19937 generator(1);
  Shard shard;
  shard.rows = rows;
  shard.features = 16;
  shard.classes = 26;
  std::vector<std::uint8_t> values(std::size_t{rows} * shard.features);
  for (std::uint8_t& value : values) {
    value = static_cast<std::uint8_t>(generator() % 16);
  }
  shard.values = std::move(values);
  for (std::uint32_t row = 0; row < rows; ++row) {
    shard.labels.push_back(static_cast<std::uint16_t>(generator() % shard.classes));
  }
  return shard;
}

/// The job of one benchmark, from its arguments (hidden, rows, threads).
template <class T>
struct Job {
  explicit Job(const benchmark::State& state)
      : topology{{16, static_cast<std::uint32_t>(state.range(0)), 26}},
        shard(letters_like(static_cast<std::uint32_t>(state.range(1)))),
        parameters(initial_parameters<T>(topology, 1)),
        descent(parameters.size()) {}

  void count(benchmark::State& state) const {
    const double rows = static_cast<double>(state.iterations()) * shard.rows;
    state.counters["rows/s"] = benchmark::Counter(rows, benchmark::Counter::kIsRate);
    state.counters["FLOP/s"] =
        benchmark::Counter(rows * pass_flop(topology), benchmark::Counter::kIsRate);
  }

  Topology topology;
  Shard shard;
  std::vector<T> parameters;
  std::vector<T> descent;
};

/// Whether the kernel's result is the naive twin's, but for rounding.
template <class T>
bool agrees_with_twin(const Job<T>& job, double loss) {
  std::vector<T> expected(job.parameters.size());
  const double expected_loss =
      gradient_naive<T>(job.topology, Activation::kRelu, job.shard, job.parameters, expected);
  const double tolerance = double{std::numeric_limits<T>::epsilon()} * job.shard.rows;
  double largest = 0;
  double difference = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    largest = std::fmax(largest, std::fabs(expected[k]));
    difference = std::fmax(difference, std::fabs(expected[k] - job.descent[k]));
  }
  return std::fabs(loss - expected_loss) <= tolerance * expected_loss &&
         difference <= tolerance * largest;
}

template <class T>
void BM_GradientPass(benchmark::State& state) {  // NOLINT(readability-identifier-naming): its habit
  Job<T> job(state);
  GradientKernel<T> kernel(job.topology, Activation::kRelu, static_cast<int>(state.range(2)));
  const SampleBlocks<T> samples(job.shard, block_rows(job.topology));
  if (!agrees_with_twin(job, kernel.pass(samples, job.parameters, job.descent))) {
    state.SkipWithError("the kernel and its naive twin differ");
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernel.pass(samples, job.parameters, job.descent));
  }
  job.count(state);
}

template <class T>
void BM_GradientNaive(benchmark::State& state) {  // NOLINT(readability-identifier-naming): as above
  Job<T> job(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        gradient_naive<T>(job.topology, Activation::kRelu, job.shard, job.parameters, job.descent));
  }
  job.count(state);
}

void pass_arguments(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"hidden", "rows", "threads"})
      ->Args({24, 1500, 1})
      ->Args({24, 1500, 2})
      ->Args({24, 16500, 1})
      ->Args({24, 16500, 2})
      ->Args({128, 1500, 1})
      ->UseRealTime();
}

void naive_arguments(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"hidden", "rows", "threads"})->Args({24, 1500, 1})->Args({128, 1500, 1});
}

BENCHMARK_TEMPLATE(BM_GradientPass, float)->Apply(pass_arguments);
BENCHMARK_TEMPLATE(BM_GradientPass, double)->Apply(pass_arguments);
BENCHMARK_TEMPLATE(BM_GradientNaive, float)->Apply(naive_arguments);
BENCHMARK_TEMPLATE(BM_GradientNaive, double)->Apply(naive_arguments);

}  // namespace
}  // namespace gradmill::ml

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
