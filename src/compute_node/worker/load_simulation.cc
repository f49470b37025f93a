#include "compute_node/worker/load_simulation.h"

#include <utility>

#include "base/keyed_draw.h"

namespace gradmill::node {

LoadSimulation::LoadSimulation(double probability, std::uint64_t seed, std::string address)
    : probability_(probability), seed_(seed), address_(std::move(address)) {}

bool LoadSimulation::refuses(const Digest& job_digest, const TaskId& task, LoadRule rule) const {
  return rule == LoadRule::kRefuseOrDelay && draw(job_digest, task, "refusal");
}

bool LoadSimulation::delays(const Digest& job_digest, const TaskId& task) const {
  return draw(job_digest, task, "delay");
}

bool LoadSimulation::draw(const Digest& job_digest, const TaskId& task, const char* stream) const {
  const std::string key = "gradmill load 1\n" + std::to_string(seed_) + '\n' + address_ + '\n' +
                          job_digest.hex() + '\n' + std::to_string(task.round) + '\n' +
                          std::to_string(task.shard) + '\n' + std::to_string(task.offer) + '\n' +
                          stream;
  return keyed_draw(key) < probability_;
}

}  // namespace gradmill::node
