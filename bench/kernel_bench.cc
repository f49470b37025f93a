// Measures the kernels and prints `name value` lines; scripts/bench sets them beside the peers.
// usage: kernel_bench [--seconds S] [--rows NAME,NAME...]     S for each row; all rows by default
//
// Every row but the peaks trains or predicts through the functions that a compute node calls.
// GFLOP/s count the products alone, as ml::pass_flop does.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eigen_step.h"
#include "fma_peak.h"
#include "formats/csv.h"
#include "ml/kernel/kernels.h"
#include "ml/server_optimizer.h"
#include "ml/train_shard.h"

namespace gradmill::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

ml::Shard letters(const std::string& name) {
  std::ifstream file(std::string(GRADMILL_SOURCE_DIR "/data/letters/") + name, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  return formats::parse_csv(text, name, {});
}

/// Pixels of MNIST's shape: 784 features in 0..255, most of them dark, and 10 classes.
ml::Shard pixels(std::uint32_t rows) {
  std::mt19937 generator(1);
  ml::Shard shard;
  shard.rows = rows;
  shard.features = 784;
  shard.classes = 10;
  std::vector<std::uint8_t> values(std::size_t{rows} * shard.features);
  for (std::uint8_t& value : values) {
    const auto draw = static_cast<std::uint32_t>(generator());
    value = static_cast<std::uint8_t>(draw % 5 == 0 ? draw >> 24U : 0);
  }
  shard.values = std::move(values);
  for (std::uint32_t row = 0; row < rows; ++row) {
    shard.labels.push_back(static_cast<std::uint16_t>(generator() % shard.classes));
  }
  return shard;
}

/// The course's rule, without its early stop.
ml::TrainingRule full_batch(ml::Precision precision) {
  ml::TrainingRule rule;
  rule.topology.units = {16, 24, 26};
  rule.precision = precision;
  rule.eta = 1e-4;
  rule.epochs = 1;
  rule.min_loss_change = 0;
  return rule;
}

ml::TrainingRule mini_batch(std::vector<std::uint32_t> units,
                            ml::Optimizer optimizer,
                            std::uint32_t batch_size) {
  ml::TrainingRule rule;
  rule.topology.units = std::move(units);
  rule.optimizer = optimizer;
  rule.eta = 1e-3;
  rule.batch_size = batch_size;
  rule.epochs = 1;
  return rule;
}

/// Samples a second of training by `rule` on `shard`, over at least `seconds`.
double training_rate(ml::TrainingRule rule, const ml::Shard& shard, int threads, double seconds) {
  const std::vector<ml::Shard> shards = {shard};
  if (rule.optimizer != ml::Optimizer::kGd) {
    rule.standardization = ml::standardization_of(shards);
  }
  const ml::Samples samples = ml::prepare_samples(shard, rule);
  const std::string parameters = ml::initial_parameter_bytes(rule);
  const auto train = [&] {
    const Clock::time_point start = Clock::now();
    const ml::TrainingResult result = ml::train_shard(rule, samples, parameters, {}, threads, {});
    if (result.diverged) {
      static_cast<void>(std::fputs("kernel_bench: a training diverged\n", stderr));
      std::exit(1);
    }
    return seconds_since(start);
  };
  static_cast<void>(train());
  const double once = train();
  rule.epochs = static_cast<std::uint32_t>(std::max(1.0, std::ceil(seconds / once)));
  return static_cast<double>(shard.rows) * rule.epochs / train();
}

/// Classes of raw rows a second, on one core: the layout for the kernel, forward, argmax.
double prediction_rate(double seconds) {
  const ml::TrainingRule rule = full_batch(ml::Precision::kFloat);
  const ml::Shard shard = letters("validate_letters.txt");
  const std::string parameters = ml::initial_parameter_bytes(rule);
  std::size_t rows = 0;
  std::size_t errors = 0;
  const Clock::time_point start = Clock::now();
  while (seconds_since(start) < seconds) {
    errors += ml::count_errors(rule, ml::prepare_samples(shard, rule), parameters, 1);
    rows += shard.rows;
  }
  const double rate = static_cast<double>(rows) / seconds_since(start);
  return errors > 0 ? rate : 0;
}

/// The client's example without its cluster: 3 rounds of 75 epochs on 11 shards, as tasks of one
/// thread each on two threads.
double example_seconds() {
  ml::TrainingRule rule = full_batch(ml::Precision::kFloat);
  rule.epochs = 75;
  rule.min_loss_change = 0.2;
  std::vector<ml::Samples> samples;
  std::vector<std::uint64_t> rows;
  for (int k = 1; k <= 11; ++k) {
    const ml::Shard shard = letters("train_letters" + std::to_string(k) + ".txt");
    rows.push_back(shard.rows);
    samples.push_back(ml::prepare_samples(shard, rule));
  }
  std::string parameters = ml::initial_parameter_bytes(rule);
  ml::ServerState state;
  const Clock::time_point start = Clock::now();
  for (std::uint32_t round = 1; round <= 3; ++round) {
    std::vector<ml::TrainingResult> results(samples.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t k = next++; k < samples.size(); k = next++) {
        const ml::TaskPosition position = {round, 3, static_cast<std::uint32_t>(k)};
        results[k] = ml::train_shard(rule, samples[k], parameters, position, 1, {});
      }
    };
    std::thread other(work);
    work();
    other.join();
    std::vector<ml::WeightedDelta> deltas;
    for (std::size_t k = 0; k < results.size(); ++k) {
      deltas.push_back({results[k].delta, rows[k]});
    }
    parameters = ml::server_step(parameters, deltas, rule.precision, {}, round, state);
  }
  return seconds_since(start);
}

/// What to measure, and where it goes.
class Report {
 public:
  Report(std::vector<std::string> wanted, double seconds)
      : wanted_(std::move(wanted)), seconds_(seconds) {}

  [[nodiscard]] bool wants(const std::string& name) const {
    return wanted_.empty() || std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end();
  }
  [[nodiscard]] double seconds() const { return seconds_; }

  /// One figure, measured if it is wanted.
  template <class F>
  void figure(const std::string& name, const F& measure) const {
    if (wants(name)) {
      print(name, measure());
    }
  }
  /// A row of training: GFLOP/s and samples a second.
  void training(const std::string& row,
                const ml::TrainingRule& rule,
                const ml::Shard& shard) const {
    if (wants(row + "_gflops") || wants(row + "_samples_per_s")) {
      const double rate = training_rate(rule, shard, 1, seconds_);
      print(row + "_gflops", rate * ml::pass_flop(rule.topology) / 1e9);
      print(row + "_samples_per_s", rate);
    }
  }

 private:
  static void print(const std::string& name, double value) {
    static_cast<void>(std::printf("%s %.6g\n", name.c_str(), value));
  }

  std::vector<std::string> wanted_;
  double seconds_;
};

void measure(const Report& report) {
  using ml::Optimizer;
  const double seconds = report.seconds();
  const ml::Shard shard = letters("train_letters1.txt");
  const ml::TrainingRule full = full_batch(ml::Precision::kFloat);
  report.figure("peak_f32_gflops", [&] { return fma_peak_f32(seconds); });
  report.figure("peak_f64_gflops", [&] { return fma_peak_f64(seconds); });
  report.training("letters_full", full, shard);
  report.training("double_letters_full", full_batch(ml::Precision::kDouble), shard);
  report.training("letters_b64", mini_batch({16, 24, 26}, Optimizer::kSgd, 64), shard);
  report.training(
      "mlp_16_256_128_26_b64", mini_batch({16, 256, 128, 26}, Optimizer::kAdam, 64), shard);
  report.training(
      "mnist_784_512_10_b256", mini_batch({784, 512, 10}, Optimizer::kSgd, 256), pixels(2560));
  report.figure("eigen_mnist_784_512_10_b256_gflops", [&] {
    return eigen_training_rate({784, 512, 10}, 256, seconds) * ml::pass_flop({{784, 512, 10}}) /
           1e9;
  });
  report.figure("letters_full_threads2", [&] {
    const double one = training_rate(full, shard, 1, seconds);
    return training_rate(full, shard, 2, seconds) / one;
  });
  report.figure("predict_letters_rows_per_s", [&] { return prediction_rate(seconds); });
  report.figure("kernel_example_s", example_seconds);
}

/// The words of a list separated by commas.
std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) {
    words.push_back(word);
  }
  return words;
}

int run(int argc, char** argv) {
  std::vector<std::string> rows;
  double seconds = 0.3;
  for (int k = 1; k + 1 < argc; k += 2) {
    const std::string option = argv[k];
    if (option == "--seconds") {
      seconds = std::strtod(argv[k + 1], nullptr);
    } else if (option == "--rows") {
      rows = words_of(argv[k + 1]);
    }
  }
  static_cast<void>(std::fprintf(stderr, "kernel_isa %s\n", ml::kernels().name));
  measure(Report(std::move(rows), seconds));
  return 0;
}

}  // namespace
}  // namespace gradmill::bench

int main(int argc, char** argv) { return gradmill::bench::run(argc, argv); }
