#include "coordinator/service/round_step.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gradmill::coordinator {

std::optional<RoundStep> make_step(const AdvanceRound& round) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const ml::Precision precision = round.specification->rule.precision;
  std::vector<ml::WeightedDelta> deltas;
  for (std::size_t shard = 0; shard < round.deltas.size(); ++shard) {
    deltas.push_back({*round.deltas[shard].bytes, round.rows[shard]});
  }
  // A copy: the job's own state moves once the step counts.
  auto state = std::make_shared<ml::ServerState>(*round.server);
  std::string weights = ml::server_step(
      *round.weights.bytes, deltas, precision, round.specification->server, round.round, *state);
  if (!ml::all_finite(weights, precision)) {
    return std::nullopt;
  }
  RoundStep step;
  step.weights = make_blob(std::move(weights));
  step.server = std::move(state);
  step.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return step;
}

}  // namespace gradmill::coordinator
