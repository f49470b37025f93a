// What the faults of a history do.
#include <chrono>

#include "simulation/history.h"

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;

}  // namespace

void History::strike(const FaultPlan& fault) {
  if (healed_) {
    return;
  }
  switch (fault.fault) {
    case Fault::kNodeCrash:
    case Fault::kNodePause:
    case Fault::kPartition:
    case Fault::kNodeLeaves:
    case Fault::kNodeRemoved:
    case Fault::kNodeJoins:
    case Fault::kStraggler:
      return strike_node(fault.fault, random_node());
    case Fault::kCoordinatorPause:
      return strike_coordinator(fault.fault);
    case Fault::kCoordinatorCrash:
      return around_.faults.arm(fault.point);
    default:
      return around_.faults.arm(fault.fault);
  }
}

void History::strike_node(Fault fault, Node& node) {
  const TimePoint now = around_.queue.now();
  const Duration brief = around_.dice.between(Duration{50ms}, Duration{1500ms});
  const Duration long_time = around_.dice.chance(0.7) ? brief : brief + 6s;
  if (!node.is_up() && fault != Fault::kPartition) {
    return;
  }
  around_.counts.add(fault);
  around_.log([&] {
    return std::string(kFaultNames[static_cast<std::size_t>(fault)]) + ": " + node.address().text();
  });
  switch (fault) {
    case Fault::kNodeCrash:
      node.crash();
      return restart_later(node);
    case Fault::kNodePause:
      return node.pause(now + long_time);
    case Fault::kPartition:
      return node.cut_off(now + long_time);
    case Fault::kStraggler:
      return node.slow_down(now + 2s);
    case Fault::kNodeLeaves:
      node.leave();
      around_.queue.after(brief, [this, &node] {
        node.crash();
        restart_later(node);
      });
      return;
    case Fault::kNodeRemoved:
      if (coordinator_) {
        coordinator_->life().run([this, &node] { coordinator_->remove_node(node); });
      }
      return;
    default:
      if (coordinator_) {
        coordinator_->life().run([this, &node] { coordinator_->add_node(node); });
      }
  }
}

void History::restart_later(Node& node) {
  const Duration down = around_.dice.chance(0.7) ? around_.dice.between(Duration{5ms}, Duration{1s})
                                                 : around_.dice.between(Duration{1s}, Duration{8s});
  around_.queue.after(down, [this, &node] {
    if (!node.is_up()) {
      node.start();
      around_.log([&] { return "node starts: " + node.address().text(); });
    }
  });
}

void History::strike_coordinator(Fault fault) {
  if (coordinator_) {
    around_.counts.add(fault);
    coordinator_->life().pause(around_.queue.now() +
                               around_.dice.between(Duration{50ms}, Duration{5s}));
  }
}

}  // namespace gradmill::simulation
