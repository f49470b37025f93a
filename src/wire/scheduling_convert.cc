#include "wire/scheduling_convert.h"

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "wire/status_convert.h"
#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

constexpr EnumTable<gradmill::SchedulingMode, SchedulingMode::type, 2> kModes = {{
    {gradmill::SchedulingMode::kGlobal, SchedulingMode::GLOBAL},
    {gradmill::SchedulingMode::kLocal, SchedulingMode::LOCAL},
}};

std::optional<double> share_from(const NodeExplanation& node) {
  if (!node.__isset.recent_share) {
    return std::nullopt;
  }
  if (!(node.recent_share >= 0 && node.recent_share <= 1)) {
    throw invalid_input("a share of time is " + std::to_string(node.recent_share) +
                        ", not from 0 to 1");
  }
  return node.recent_share;
}

}  // namespace

SchedulingMode::type to_wire(gradmill::SchedulingMode mode) { return to_wire(mode, kModes); }

gradmill::SchedulingMode scheduling_from(SchedulingMode::type mode) {
  return enum_from(mode, kModes, "the mode of scheduling");
}

ExplainJobResponse to_wire(const gradmill::JobExplanation& explanation) {
  ExplainJobResponse to;
  to.job_id = explanation.job;
  to.predicts = explanation.predicts;
  to.state = to_wire(explanation.state);
  to.scheduling = to_wire(explanation.scheduling);
  to.waiting = static_cast<std::int32_t>(explanation.waiting);
  to.nodes.reserve(explanation.nodes.size());
  for (const gradmill::NodeExplanation& node : explanation.nodes) {
    NodeExplanation& one = to.nodes.emplace_back();
    one.node = node.node;
    one.offers = static_cast<std::int32_t>(node.offers);
    one.queued = static_cast<std::int32_t>(node.queued);
    one.tasks = static_cast<std::int64_t>(node.tasks);
    one.reason = node.reason;
    one.message = node.message;
    if (node.recent_share) {
      one.__set_recent_share(*node.recent_share);
    }
  }
  return to;
}

gradmill::JobExplanation explanation_from(const ExplainJobResponse& response) {
  gradmill::JobExplanation to;
  to.job = response.job_id;
  to.predicts = response.predicts;
  to.state = job_state_from(response.state);
  to.scheduling = scheduling_from(response.scheduling);
  to.waiting = unsigned_from<std::uint32_t>(response.waiting, "the number of waiting tasks");
  to.nodes.reserve(response.nodes.size());
  for (const NodeExplanation& node : response.nodes) {
    to.nodes.push_back({.node = node.node,
                        .offers = unsigned_from<std::uint32_t>(node.offers, "a number of offers"),
                        .queued = unsigned_from<std::uint32_t>(node.queued, "a length of a queue"),
                        .tasks = unsigned_from<std::uint64_t>(node.tasks, "a number of tasks"),
                        .recent_share = share_from(node),
                        .reason = node.reason,
                        .message = node.message});
  }
  return to;
}

}  // namespace gradmill::wire
