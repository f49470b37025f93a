#include "chaos/injector.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>

namespace gradmill::chaos {

namespace {

constexpr milliseconds kGlance{100};
constexpr double kLostFrames = 0.2;
constexpr milliseconds kDelay{75};
constexpr milliseconds kJitter{50};
constexpr std::size_t kSlowBytesPerSecond = 64'000 / 8;

bool is_process_fault(Fault fault) {
  switch (fault) {
    case Fault::kKillNode:
    case Fault::kStopNode:
    case Fault::kRestartNode:
    case Fault::kKillCoordinator:
    case Fault::kStopCoordinator:
    case Fault::kRestartCoordinator:
    case Fault::kPowerCut:
      return true;
    default:
      return false;
  }
}

bool stops(Fault fault) { return fault == Fault::kStopNode || fault == Fault::kStopCoordinator; }

bool asks_to_leave(Fault fault) {
  return fault == Fault::kRestartNode || fault == Fault::kRestartCoordinator;
}

/// Words of `client fault set` behind the target, none for other faults.
std::vector<std::string> order_of(Fault fault) {
  switch (fault) {
    case Fault::kPresetLow:
      return {"low"};
    case Fault::kPresetMid:
      return {"mid"};
    case Fault::kPresetHigh:
      return {"high"};
    case Fault::kCorrupt:
      return {"--corrupt", "0.5"};
    case Fault::kSlowNode:
      return {"--slow", "10"};
    default:
      return {};
  }
}

LinkConditions conditions_of(Fault fault) {
  const auto both = [](const LaneConditions& lane) {
    return LinkConditions{.requests = lane, .answers = lane};
  };
  switch (fault) {
    case Fault::kPartition:
    case Fault::kSwizzle:
      return both({.loses_all = true});
    case Fault::kRequestsLost:
      return {.requests = {.loses_all = true}};
    case Fault::kAnswersLost:
      return {.answers = {.loses_all = true}};
    case Fault::kLostCalls:
      return both({.lost_frames = kLostFrames});
    case Fault::kDelay:
      return both({.delay = kDelay, .jitter = kJitter});
    case Fault::kSlowLink:
      return both({.bytes_per_second = kSlowBytesPerSecond});
    case Fault::kReset:
      return {.resets = true};
    default:
      return {};
  }
}

void begin_process_fault(Fault fault, Place place, Stage& stage) {
  if (stops(fault)) {
    stage.signal(place, SIGSTOP);
  } else if (asks_to_leave(fault)) {
    stage.signal(place, SIGTERM);
  } else {
    stage.signal(place, SIGKILL);
    stage.await_end(place);
  }
}

void end_process_fault(Fault fault, Place place, Stage& stage) {
  if (stops(fault)) {
    stage.signal(place, SIGCONT);
    return;
  }
  stage.await_end(place);
  stage.start(place);
}

/// Whether it took place.
bool begin(Fault fault, Place place, Stage& stage) {
  if (is_process_fault(fault)) {
    begin_process_fault(fault, place, stage);
    return true;
  }
  if (fault == Fault::kLinkDown) {
    if (stage.has_namespace()) {
      stage.set_interface(false);
    }
    return stage.has_namespace();
  }
  if (const auto order = order_of(fault); !order.empty()) {
    return stage.has_fault_injection() && stage.order_fault("set", place, order);
  }
  stage.set_link(place, conditions_of(fault));
  return true;
}

/// Whether it has ended; if not, it is to be tried again.
bool end(Fault fault, Place place, Stage& stage) {
  if (is_process_fault(fault)) {
    end_process_fault(fault, place, stage);
  } else if (fault == Fault::kLinkDown) {
    if (stage.has_namespace()) {
      stage.set_interface(true);
    }
  } else if (!order_of(fault).empty()) {
    // The coordinator, which passes it on, may be away. A fault that seemed not to be set may be.
    return !stage.has_fault_injection() || stage.order_fault("clear", place, {});
  } else {
    stage.set_link(place, {});
  }
  return true;
}

bool sleep_until(std::chrono::steady_clock::time_point time, const std::atomic<bool>& interrupted) {
  for (auto now = std::chrono::steady_clock::now(); now < time && !interrupted;
       now = std::chrono::steady_clock::now()) {
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(time - now, kGlance));
  }
  return !interrupted;
}

}  // namespace

std::vector<MadeStrike> inject(const Plan& plan,
                               Stage& stage,
                               const RunClock& clock,
                               const std::atomic<bool>& interrupted) {
  std::vector<MadeStrike> made;
  for (const Strike& strike : plan.strikes) {
    made.push_back({.fault = strike.fault, .places = strike.places, .nodes = {}});
    for (const Place place : strike.places) {
      if (static_cast<std::size_t>(place) < kNodes) {
        made.back().nodes.push_back(stage.address(place));
      }
    }
  }
  const auto start = std::chrono::steady_clock::now();
  std::multimap<milliseconds, Step> steps;
  for (const Step& step : plan.steps) {
    steps.emplace(step.at, step);
  }
  for (; !steps.empty(); steps.erase(steps.begin())) {
    const auto [at, step] = *steps.begin();
    if (!sleep_until(start + at, interrupted)) {
      break;
    }
    MadeStrike& strike = made[step.strike];
    const Seconds now = clock.now();
    if (step.act == Act::kBegin) {
      strike.began = strike.took_place ? strike.began : now;
      strike.took_place = begin(strike.fault, step.place, stage);
      continue;
    }
    // A process is back when it starts to start.
    strike.ended = now;
    if (!end(strike.fault, step.place, stage)) {
      // Behind all that is due: that may bring the coordinator back.
      const auto elapsed =
          std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - start);
      steps.emplace(std::max(at, elapsed) + kGlance, step);
    }
  }
  return made;
}

}  // namespace gradmill::chaos
