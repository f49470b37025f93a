#include "simulation/network.h"

#include <chrono>
#include <utility>

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Duration kWayMin = 200us;
constexpr Duration kWayMax = 3ms;

}  // namespace

Duration Network::way() {
  Duration way = around_.dice.between(kWayMin, kWayMax);
  if (around_.faults.strikes(Fault::kReordering)) {
    way += around_.dice.between(Duration{5ms}, Duration{80ms});
  }
  if (around_.faults.strikes(Fault::kDelay)) {
    way += around_.dice.between(Duration{300ms}, Duration{4s});
  }
  return way;
}

void Network::call(Node& node, Duration deadline, Call call) {
  const TimePoint now = around_.queue.now();
  const Shared open = std::make_shared<Open>(Open{node, std::move(call), now + deadline});
  if (node.cut_off_until() > now || around_.faults.strikes(Fault::kRequestLost)) {
    expire(open);
    return;
  }
  const Duration there = way();
  if (around_.faults.strikes(Fault::kConnectionReset)) {
    around_.queue.after(there, [open] { close(open, {{}, "connection reset", false}); });
    if (around_.dice.chance(0.5)) {
      return;  // Else the request gets through, and nobody waits for the answer.
    }
  }
  if (around_.faults.strikes(Fault::kDuplicate)) {
    const Duration later = around_.dice.between(Duration{}, Duration{500ms});
    around_.queue.after(there + later, [this, open] { arrive(open, true); });
  }
  plan(open, now + there, [this, open] { arrive(open, false); });
}

void Network::arrive(const Shared& open, bool is_duplicate) {
  Node& node = open->node;
  const TimePoint now = around_.queue.now();
  if (!node.is_up()) {
    if (!is_duplicate) {
      plan(open, now + way(), [open] { close(open, {{}, "connection refused", true}); });
    }
    return;
  }
  if (node.paused_until() > now) {
    plan(open, node.paused_until(), [this, open, is_duplicate] { arrive(open, is_duplicate); });
    return;
  }
  const std::optional<Duration> takes = open->call.execute(node);
  if (is_duplicate) {
    return;
  }
  if (!takes) {
    plan(open, now + way(), [open] { close(open, {{}, "is fenced", false}); });
    return;
  }
  plan(open, now + *takes, [this, open, incarnation = node.incarnation()] {
    respond(open, incarnation);
  });
}

void Network::respond(const Shared& open, std::uint64_t incarnation) {
  Node& node = open->node;
  const TimePoint now = around_.queue.now();
  if (!node.is_up() || node.incarnation() != incarnation) {
    plan(open, now + way(), [open] { close(open, {{}, "connection reset", false}); });
    return;
  }
  if (node.paused_until() > now) {
    plan(open, node.paused_until(), [this, open, incarnation] { respond(open, incarnation); });
    return;
  }
  const Answer answer = open->call.answer(node);
  if (node.cut_off_until() > now || around_.faults.strikes(Fault::kReplyLost)) {
    expire(open);
    return;
  }
  plan(open, now + way(), [open, answer] { close(open, {answer, {}, false}); });
}

void Network::plan(const Shared& open, TimePoint at, EventQueue::Event event) {
  if (at > open->deadline) {
    expire(open);
  }
  around_.queue.at(at, std::move(event));
}

void Network::expire(const Shared& open) {
  if (!std::exchange(open->expires, true)) {
    around_.queue.at(open->deadline, [open] {
      close(open, {{}, "did not answer in time", false});
    });
  }
}

void Network::close(const Shared& open, const CallResult& result) {
  if (!std::exchange(open->closed, true)) {
    open->call.ended(result);
  }
}

}  // namespace gradmill::simulation
