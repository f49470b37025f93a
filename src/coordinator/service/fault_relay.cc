#include "coordinator/service/fault_relay.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/event_log.h"

namespace gradmill::coordinator {
namespace {

std::string not_enabled(const std::string& who) {
  return who + " was not started with --enable-fault-injection";
}

// What clients are not told.
void log_failure(const std::string& node, const std::exception& failure) noexcept {
  try {
    log_event({.level = LogLevel::kWarning,
               .event = "fault_call_failed",
               .fields = {{"node", node}},
               .message = failure.what()});
  } catch (...) {  // Out of memory for the text: go on without.
  }
}

// Threads besides those of the calls, of which all calls together have so many.
class Helpers {
 public:
  explicit Helpers(std::counting_semaphore<>& free) : free_(free) {}
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;
  ~Helpers() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
    free_.release(static_cast<std::ptrdiff_t>(threads_.size()));
  }

  // Runs `work` in one more thread; false if there is none to be had.
  bool start(const std::function<void()>& work) {
    if (!free_.try_acquire()) {
      return false;
    }
    try {
      threads_.emplace_back(work);
      return true;
    } catch (const std::exception&) {  // No thread or no memory left: the others do it.
      free_.release();
      return false;
    }
  }

 private:
  std::counting_semaphore<>& free_;
  std::vector<std::thread> threads_;
};

}  // namespace

FaultRelay::FaultRelay(std::function<std::vector<Address>()> members,
                       NodeLinkFactory make_link,
                       faults::FaultInjector* own)
    : members_(std::move(members)), make_link_(std::move(make_link)), own_(own) {}

std::vector<FaultReport> FaultRelay::set(const FaultTarget& target,
                                         const FaultSettings& faults) const {
  if (target.scope == FaultScope::kCoordinator) {
    check_coordinator_faults(faults);
    if (own_ != nullptr) {
      static_cast<void>(own_->set(faults));
    }
    return {own_report()};
  }
  check_faults(faults);
  std::vector<Address> nodes = members_();
  if (target.scope == FaultScope::kNode) {
    if (std::find(nodes.begin(), nodes.end(), target.node) == nodes.end()) {
      throw Error(ErrorCode::kNotFound,
                  "there is no node " + target.node.text() + "; see client node list");
    }
    nodes = {target.node};
  }
  if (nodes.empty()) {
    throw Error(ErrorCode::kNotFound, "there are no nodes; see client node list");
  }
  return ask(nodes, [&](NodeLink& link) { return link.set_faults(faults); });
}

std::vector<FaultReport> FaultRelay::list() const {
  std::vector<FaultReport> reports = ask(members_(), [](NodeLink& link) { return link.faults(); });
  reports.push_back(own_report());
  return reports;
}

std::vector<FaultReport> FaultRelay::ask(const std::vector<Address>& nodes,
                                         const Ask& question) const {
  std::vector<FaultReport> reports(nodes.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t n = next++; n < nodes.size(); n = next++) {
      reports[n] = ask(nodes[n], question);
    }
  };
  {
    Helpers helpers(helpers_);
    for (std::size_t n = 1; n < nodes.size() && helpers.start(work); ++n) {
    }
    work();
  }
  return reports;
}

FaultReport FaultRelay::ask(const Address& node, const Ask& question) const {
  FaultReport report;
  report.server = node.text();
  try {
    const std::optional<FaultState> state = question(*make_link_(node));
    if (state) {
      report.state = *state;
    } else {
      report.problem = FaultProblem::kNotEnabled;
      report.message = not_enabled("node " + report.server);
    }
  } catch (const Error& error) {
    report.problem = FaultProblem::kUnreachable;
    report.message = error.what();
  } catch (const std::exception& error) {  // Of a thread of ours, so none may pass.
    report.problem = FaultProblem::kUnreachable;
    report.message = "the coordinator cannot ask it: " + message_for_peers();
    log_failure(report.server, error);
  }
  return report;
}

FaultReport FaultRelay::own_report() const {
  FaultReport report;
  report.server = "coordinator";
  if (own_ != nullptr) {
    report.state = own_->state();
  } else {
    report.problem = FaultProblem::kNotEnabled;
    report.message = not_enabled("the coordinator");
  }
  return report;
}

}  // namespace gradmill::coordinator
