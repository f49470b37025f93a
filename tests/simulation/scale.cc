#include "simulation/scale.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>

#include "coordinator/core/scheduler/scheduler.h"
#include "ml/kernel/kernels.h"
#include "simulation/arithmetic.h"
#include "simulation/dice.h"
#include "simulation/event_queue.h"

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;
using namespace coordinator;

constexpr std::uint32_t kShards = 10'000;
constexpr std::uint32_t kRounds = 3;
constexpr std::uint32_t kSlots = 2;
constexpr double kMicrosecondsMax = 20;
constexpr double kMegabytesMax = 200;

/// Of this thread, so that others on the machine do not count.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// Nodes that take every offer and do it, and a scheduler whose time is measured: all of its
/// events, heartbeats included, and a look at its next wake-up after each, as in the service.
class Load {
 public:
  Load(std::uint32_t nodes, const std::string& policy)
      : nodes_(nodes), scheduler_({}, make_policy(policy, 1)) {}

  void run() {
    for (NodeId node = 0; node < nodes_; ++node) {
      const Address address{"node", static_cast<std::uint16_t>(4100 + node)};
      tell([&](TimePoint now) { return scheduler_.add_node(address, NodeSource::kListed, now); });
      beat(node);
    }
    submit();
    // The registration of nodes is no task's cost.
    spent_ = {};
    while (!ended_) {
      queue_.step();
    }
  }
  [[nodiscard]] double microseconds_per_task() const {
    return std::chrono::duration<double, std::micro>(spent_).count() / (kShards * kRounds);
  }

 private:
  template <class Event>
  void tell(const Event& event) {
    const auto begin = processor_time();
    Actions actions = event(queue_.now());
    const std::optional<TimePoint> wakeup = scheduler_.wakeup(queue_.now());
    spent_ += processor_time() - begin;
    for (Action& action : actions) {
      std::visit([this](auto& one) { enact(one); }, action);
    }
    keep_time(wakeup);
  }

  void keep_time(std::optional<TimePoint> wakeup) {
    if (wakeup && (!wakeup_ || *wakeup < *wakeup_)) {
      wakeup_ = wakeup;
      queue_.at(*wakeup, [this, at = *wakeup] {
        if (wakeup_ == at) {
          wakeup_.reset();
          tell([&](TimePoint now) { return scheduler_.tick(now); });
        }
      });
    }
  }

  void submit() {
    auto specification = std::make_shared<JobSpecification>();
    specification->rule.topology.units = {2, 2};
    specification->rounds = kRounds;
    specification->shards.assign(kShards, number_blob(1).ref);
    JobSubmission submission;
    submission.id = "job";
    submission.specification = std::move(specification);
    submission.shard_rows.assign(kShards, 10);
    submission.weights = number_blob(1);
    tell([&](TimePoint now) { return scheduler_.submit(std::move(submission), now); });
  }

  void beat(NodeId node) {
    NodeBeat beat;
    beat.hello = {.incarnation = "1", .kernel_id = ml::kernel_id(), .slots = kSlots};
    tell([&](TimePoint now) { return scheduler_.heartbeat(node, beat, now); });
    queue_.after(1s, [this, node] { this->beat(node); });
  }

  void enact(const OfferTask& action) {
    const NodeId node = action.node;
    const TaskId task = action.offer.id;
    queue_.after(1ms, [this, task] {
      tell([&](TimePoint now) { return scheduler_.task_accepted(task, now); });
    });
    queue_.after(dice_.between(Duration{50ms}, Duration{150ms}), [this, node, task] {
      TaskResult result;
      result.delta = number_blob(task.shard);
      tell([&](TimePoint now) { return scheduler_.task_done(node, task, std::move(result), now); });
    });
  }
  void enact(const AdvanceRound& action) {
    RoundStep step;
    step.weights = number_blob(action.round);
    step.server = action.server;
    queue_.after(1ms, [this, job = action.job, round = action.round, step] {
      tell([&](TimePoint now) { return scheduler_.round_advanced(job, round, step, now); });
    });
  }
  void enact(const ValidateRound& action) {
    queue_.after(1ms, [this, job = action.job, round = action.round] {
      tell([&](TimePoint now) { return scheduler_.round_validated(job, round, {}, now); });
    });
  }
  void enact(const Save& action) {
    queue_.after(5ms, [this, ticket = action.ticket] {
      tell([&](TimePoint now) { return scheduler_.saved(ticket, now); });
    });
  }
  void enact(const JobEnded& /*action*/) { ended_ = true; }
  template <class Other>
  void enact(const Other& /*action*/) {}

  std::uint32_t nodes_;
  Dice dice_{1};
  EventQueue queue_;
  Scheduler scheduler_;
  std::optional<TimePoint> wakeup_;
  std::chrono::nanoseconds spent_{};
  bool ended_ = false;
};

struct Cost {
  double microseconds = 0;  ///< A task.
  double megabytes = 0;     ///< Of a process with nothing else.
};

/// In a process of its own, for the sake of its memory.
Cost measure(std::uint32_t nodes, const std::string& policy) {
  std::array<int, 2> ends{};
  Cost cost;
  if (::pipe(ends.data()) != 0) {
    return cost;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    Load load(nodes, policy);
    load.run();
    rusage usage{};
    static_cast<void>(::getrusage(RUSAGE_SELF, &usage));
    cost = {load.microseconds_per_task(), static_cast<double>(usage.ru_maxrss) / 1024};
    ::_exit(::write(ends[1], &cost, sizeof cost) == sizeof cost ? 0 : 1);
  }
  int status = 1;
  static_cast<void>(::waitpid(child, &status, 0));
  const bool read = status == 0 && ::read(ends[0], &cost, sizeof cost) == sizeof cost;
  static_cast<void>(::close(ends[0]));
  static_cast<void>(::close(ends[1]));
  return read ? cost : Cost{1e9, 1e9};
}

}  // namespace

bool report_scale() {
  bool holds = true;
  std::printf("%u shards a round, %u rounds\n", kShards, kRounds);
  std::printf("%-16s %6s %12s %8s\n", "policy", "nodes", "us a task", "MB");
  for (const char* const policy : {"random", "load-balancing", "round-robin"}) {
    double smallest = 0;
    for (const std::uint32_t nodes : {10U, 100U, 1000U}) {
      const Cost cost = measure(nodes, policy);
      std::printf("%-16s %6u %12.2f %8.1f\n", policy, nodes, cost.microseconds, cost.megabytes);
      smallest = nodes == 10 ? cost.microseconds : smallest;
      const double times = nodes * std::log2(nodes) / (10 * std::log2(10));
      holds = holds && cost.microseconds <= kMicrosecondsMax && cost.megabytes < kMegabytesMax &&
              cost.microseconds <= smallest * times;
    }
  }
  std::printf("%s\n", holds ? "within bounds" : "out of bounds");
  return holds;
}

}  // namespace gradmill::simulation
