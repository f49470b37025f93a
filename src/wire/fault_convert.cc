#include "wire/fault_convert.h"

#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

constexpr std::size_t kTextMax = 500;

constexpr EnumTable<gradmill::FaultScope, FaultScope::type, 3> kScopes = {{
    {gradmill::FaultScope::kNode, FaultScope::NODE},
    {gradmill::FaultScope::kAllNodes, FaultScope::ALL_NODES},
    {gradmill::FaultScope::kCoordinator, FaultScope::COORDINATOR},
}};

constexpr EnumTable<gradmill::FaultProblem, FaultProblem::type, 3> kProblems = {{
    {gradmill::FaultProblem::kNone, FaultProblem::NONE},
    {gradmill::FaultProblem::kNotEnabled, FaultProblem::NOT_ENABLED},
    {gradmill::FaultProblem::kUnreachable, FaultProblem::UNREACHABLE},
}};

std::uint64_t count_from(std::int64_t value) {
  return unsigned_from<std::uint64_t>(value, "the number of injected faults");
}

FaultReport report_to_wire(const gradmill::FaultReport& report) {
  FaultReport to;
  to.server = report.server;
  to.problem = to_wire(report.problem, kProblems);
  to.message = report.message;
  to.state = to_wire(report.state);
  return to;
}

gradmill::FaultReport report_from(const FaultReport& report) {
  gradmill::FaultReport to;
  to.problem = enum_from(report.problem, kProblems, "the problem with the faults");
  if (report.server.empty() || report.server.size() > kTextMax) {
    throw invalid_input("the name of the process with the faults is missing or too long");
  }
  to.server = report.server;
  to.message = report.message.substr(0, kTextMax);
  if (to.problem == gradmill::FaultProblem::kNone) {
    to.state = fault_state_from(report.state);
  }
  return to;
}

}  // namespace

FaultSettings to_wire(const gradmill::FaultSettings& faults) {
  FaultSettings to;
  to.drop_requests = faults.drop_requests;
  to.drop_replies = faults.drop_replies;
  to.delay_ms = static_cast<std::int32_t>(faults.delay.count());
  to.corrupt = faults.corrupt;
  to.slow = faults.slow;
  to.crash_after = static_cast<std::int64_t>(faults.crash_after);
  return to;
}

gradmill::FaultSettings faults_from(const FaultSettings& faults) {
  gradmill::FaultSettings to;
  to.drop_requests = faults.drop_requests;
  to.drop_replies = faults.drop_replies;
  to.delay = std::chrono::milliseconds(faults.delay_ms);
  to.corrupt = faults.corrupt;
  to.slow = faults.slow;
  to.crash_after =
      unsigned_from<std::uint64_t>(faults.crash_after, "the number of tasks before a crash");
  check_faults(to);
  return to;
}

FaultState to_wire(const gradmill::FaultState& state) {
  FaultState to;
  to.faults = to_wire(state.faults);
  to.injected.drop_requests = static_cast<std::int64_t>(state.injected.drop_requests);
  to.injected.drop_replies = static_cast<std::int64_t>(state.injected.drop_replies);
  to.injected.delay = static_cast<std::int64_t>(state.injected.delay);
  to.injected.corrupt = static_cast<std::int64_t>(state.injected.corrupt);
  to.injected.slow = static_cast<std::int64_t>(state.injected.slow);
  return to;
}

gradmill::FaultState fault_state_from(const FaultState& state) {
  gradmill::FaultState to;
  to.faults = faults_from(state.faults);
  to.injected.drop_requests = count_from(state.injected.drop_requests);
  to.injected.drop_replies = count_from(state.injected.drop_replies);
  to.injected.delay = count_from(state.injected.delay);
  to.injected.corrupt = count_from(state.injected.corrupt);
  to.injected.slow = count_from(state.injected.slow);
  return to;
}

SetFaultsRequest to_wire(const gradmill::FaultTarget& target,
                         const gradmill::FaultSettings& faults) {
  SetFaultsRequest to;
  to.scope = to_wire(target.scope, kScopes);
  to.host = target.node.host;
  to.port = target.node.port;
  to.faults = to_wire(faults);
  return to;
}

gradmill::FaultTarget fault_target_from(const SetFaultsRequest& request) {
  gradmill::FaultTarget to;
  to.scope = enum_from(request.scope, kScopes, "the scope of the faults");
  if (to.scope == gradmill::FaultScope::kNode) {
    to.node = address_from(request.host, request.port);
  }
  return to;
}

std::vector<FaultReport> to_wire(const std::vector<gradmill::FaultReport>& reports) {
  std::vector<FaultReport> to;
  to.reserve(reports.size());
  for (const gradmill::FaultReport& report : reports) {
    to.push_back(report_to_wire(report));
  }
  return to;
}

std::vector<gradmill::FaultReport> fault_reports_from(const std::vector<FaultReport>& reports) {
  std::vector<gradmill::FaultReport> to;
  to.reserve(reports.size());
  for (const FaultReport& report : reports) {
    to.push_back(report_from(report));
  }
  return to;
}

}  // namespace gradmill::wire
