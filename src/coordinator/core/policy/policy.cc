#include "coordinator/core/policy/policy.h"

#include "base/error.h"
#include "coordinator/core/policy/load_balancing_policy.h"
#include "coordinator/core/policy/random_policy.h"
#include "coordinator/core/policy/round_robin_policy.h"

namespace gradmill::coordinator {

std::unique_ptr<Policy> make_policy(std::string_view name, std::uint64_t seed) {
  if (name == "1" || name == "random") {
    return std::make_unique<RandomPolicy>(seed);
  }
  if (name == "2" || name == "load-balancing") {
    return std::make_unique<LoadBalancingPolicy>(seed);
  }
  if (name == "3" || name == "round-robin") {
    return std::make_unique<RoundRobinPolicy>();
  }
  throw invalid_input("<policy>: '" + std::string(name) +
                      "' is unknown; use 1 or random, 2 or load-balancing, 3 or round-robin");
}

}  // namespace gradmill::coordinator
