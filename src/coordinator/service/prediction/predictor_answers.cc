// When nodes last answered.
#include <algorithm>
#include <chrono>
#include <map>

#include "coordinator/service/prediction/predictor.h"

namespace gradmill::coordinator {

void Predictor::tell_of_answers(std::vector<NodeStatus>& nodes) {
  std::map<Address, TimePoint> answers;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, node] : nodes_) {
      if (node.answered_at != TimePoint{}) {
        answers[node.address] = node.answered_at;
      }
    }
  }
  const auto now = std::chrono::steady_clock::now();
  for (NodeStatus& node : nodes) {
    if (const auto answer = answers.find(node.address); answer != answers.end()) {
      const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(now - answer->second);
      node.answered_ago = std::min(node.answered_ago.value_or(ago), ago);
    }
  }
}

}  // namespace gradmill::coordinator
