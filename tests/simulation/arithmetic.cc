#include "simulation/arithmetic.h"

#include <cstring>

#include "base/checksum.h"
#include "simulation/dice.h"

namespace gradmill::simulation {

using coordinator::RoundStep;

Blob named(std::string bytes) {
  Blob blob;
  const std::uint64_t name = checksum(bytes);
  std::memcpy(blob.ref.digest.bytes.data(), &name, sizeof name);
  blob.ref.bytes = bytes.size();
  blob.bytes = std::make_shared<const std::string>(std::move(bytes));
  return blob;
}

Blob number_blob(std::uint64_t number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return named(std::move(bytes));
}

namespace {

std::uint64_t number_of(const Blob& blob) {
  std::uint64_t number = 0;
  std::memcpy(&number, blob.bytes->data(), sizeof number);
  return number;
}

}  // namespace

Blob delta_of(const Digest& job, std::uint32_t round, std::uint32_t shard, const Blob& weights) {
  std::uint64_t key = 0;
  std::memcpy(&key, job.bytes.data(), sizeof key);
  key = mixed(key ^ number_of(weights));
  return number_blob(mixed(key ^ (std::uint64_t{round} << 32U | shard)));
}

Blob predictions_of(const Digest& job, std::uint32_t shard, const coordinator::RowRange& rows) {
  std::uint64_t key = 0;
  std::memcpy(&key, job.bytes.data(), sizeof key);
  std::string classes;
  std::string probabilities;
  for (std::uint64_t row = rows.first; row < rows.first + rows.count; ++row) {
    const std::uint64_t draw = mixed(key ^ (std::uint64_t{shard} << 32U | row));
    classes += {static_cast<char>(draw % 2), '\0'};
    const float probability = 0.5F + static_cast<float>(draw >> 48U) / 200'000;
    std::string bytes(sizeof probability, '\0');
    std::memcpy(bytes.data(), &probability, sizeof probability);
    probabilities += bytes;
  }
  return named(classes + probabilities);
}

std::uint32_t wrong_in(const Blob& predictions, std::uint32_t rows) {
  std::uint32_t wrong = 0;
  for (std::uint32_t row = 0; row < rows; ++row) {
    wrong += predictions.bytes->at(std::size_t{2} * row) != 0 ? 1U : 0U;
  }
  return wrong;
}

RoundStep step_of(const Blob& weights,
                  const std::vector<Blob>& deltas,
                  const std::vector<std::uint64_t>& rows,
                  const ml::ServerState& server) {
  const double memory = server.first.empty() ? 0 : server.first.front();
  std::uint64_t sum = mixed(number_of(weights) ^ static_cast<std::uint64_t>(memory));
  for (std::size_t n = 0; n < deltas.size(); ++n) {
    sum = mixed(sum ^ number_of(deltas[n])) + rows.at(n);
  }
  RoundStep step;
  step.weights = number_blob(sum);
  ml::ServerState next;
  next.first.push_back(static_cast<double>(mixed(sum) >> 40U));
  step.server = std::make_shared<const ml::ServerState>(std::move(next));
  return step;
}

std::optional<double> error_of(const JobSpecification& job,
                               std::uint32_t round,
                               const Blob& weights) {
  if (!is_validated(job, round)) {
    return std::nullopt;
  }
  return static_cast<double>(mixed(number_of(weights)) % 8) / 8;
}

FaultFree run_directly(const JobSpecification& job,
                       const Blob& initial,
                       const std::vector<std::uint64_t>& rows,
                       const Divergence& divergence) {
  const Digest digest = job_digest(job);
  FaultFree run{{initial}, {0}, false};
  std::shared_ptr<const ml::ServerState> server = std::make_shared<const ml::ServerState>();
  double best_error = 0;
  for (std::uint32_t round = 1; round <= job.rounds; ++round) {
    if (round == divergence.round) {
      run.diverges = true;
      break;
    }
    std::vector<Blob> deltas;
    for (std::uint32_t shard = 0; shard < rows.size(); ++shard) {
      deltas.push_back(delta_of(digest, round, shard, run.weights.back()));
    }
    RoundStep step = step_of(run.weights.back(), deltas, rows, *server);
    server = step.server;
    run.weights.push_back(std::move(step.weights));
    std::uint32_t best = run.bests.back();
    const double error = error_of(job, round, run.weights.back()).value_or(0);
    if (job.early_stop > 0 && (best == 0 || error < best_error)) {
      best = round;
      best_error = error;
    }
    run.bests.push_back(best);
    if (job.early_stop > 0 && round - best >= job.early_stop) {
      break;
    }
  }
  return run;
}

}  // namespace gradmill::simulation
