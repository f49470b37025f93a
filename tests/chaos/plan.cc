#include "chaos/plan.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "simulation/dice.h"

namespace gradmill::chaos {

namespace {

using simulation::Dice;

struct FaultText {
  std::string_view name;
  std::string_view description;
};

constexpr std::array<FaultText, kFaults> kTexts = {{
    {"kill-node", "kill -9 of a node, started again up to 3 s later"},
    {"stop-node", "SIGSTOP of a node for up to 4 s"},
    {"restart-node", "SIGTERM of a node, started again up to 3 s later"},
    {"kill-coordinator", "kill -9 of the coordinator, started again up to 1.5 s later"},
    {"stop-coordinator", "SIGSTOP of the coordinator for up to 3 s"},
    {"restart-coordinator", "SIGTERM of the coordinator, started again up to 1.5 s later"},
    {"power-cut", "kill -9 of the coordinator and three of four nodes, started up to 2 s later"},
    {"partition", "a link loses all bytes both ways for up to 4 s; connections stay open"},
    {"requests-lost", "a link loses all bytes towards the server for up to 4 s"},
    {"answers-lost", "a link loses all bytes from the server for up to 4 s"},
    {"swizzle", "all links are partitioned one by one and healed in another order"},
    {"lost-calls", "a link loses one request or answer in five for up to 4 s"},
    {"delay", "a link takes 75 ms +- 50 ms each way for up to 4 s"},
    {"reset", "a link resets connections in the middle of a message for up to 2 s"},
    {"slow-link", "a link carries 64 kbit/s for up to 4 s"},
    {"link-down", "the interface to a network namespace is down for up to 4 s (root)"},
    {"preset-low", "`client fault set ... low` on a node or the coordinator for up to 4 s"},
    {"preset-mid", "the same with preset mid"},
    {"preset-high", "the same with preset high"},
    {"corrupt", "a node spoils every second result for up to 4 s"},
    {"slow-node", "a node's tasks take ten times as long for up to 4 s"},
}};

constexpr std::array<std::string_view, kPlaces> kPlaceNames = {"direct-node",
                                                               "proxied-node",
                                                               "joined-node",
                                                               "spared-node",
                                                               "coordinator",
                                                               "client",
                                                               "join-link"};

constexpr std::array kAllNodes = {
    Place::kDirectNode, Place::kProxiedNode, Place::kJoinedNode, Place::kSparedNode};
constexpr std::array kServers = {Place::kDirectNode,
                                 Place::kProxiedNode,
                                 Place::kJoinedNode,
                                 Place::kSparedNode,
                                 Place::kCoordinator};
constexpr std::array kMortals = {Place::kDirectNode, Place::kProxiedNode, Place::kJoinedNode};
constexpr std::array kLinks = {
    Place::kProxiedNode, Place::kJoinedNode, Place::kClient, Place::kJoinLink};
constexpr std::array kTheCoordinator = {Place::kCoordinator};
constexpr std::array kTheSpared = {Place::kSparedNode};
constexpr std::array kAllThatDies = {
    Place::kCoordinator, Place::kDirectNode, Place::kProxiedNode, Place::kJoinedNode};

/// The places of which one is struck, or all.
struct Reach {
  std::span<const Place> places;
  bool all = false;
  std::uint32_t shortest_ms = 500;
  std::uint32_t longest_ms = 4000;
};

Reach reach_of(Fault fault) {
  switch (fault) {
    case Fault::kKillNode:
    case Fault::kRestartNode:
      return {kMortals, false, 0, 3000};
    case Fault::kStopNode:
    case Fault::kCorrupt:
    case Fault::kSlowNode:
      return {kAllNodes};
    case Fault::kPresetLow:
    case Fault::kPresetMid:
    case Fault::kPresetHigh:
      return {kServers};
    case Fault::kKillCoordinator:
    case Fault::kRestartCoordinator:
      return {kTheCoordinator, false, 0, 1500};
    case Fault::kStopCoordinator:
      return {kTheCoordinator, false, 500, 3000};
    case Fault::kPowerCut:
      return {kAllThatDies, true, 0, 2000};
    case Fault::kSwizzle:
      return {kLinks, true, 2000, 3000};
    case Fault::kReset:
      return {kLinks, false, 500, 2000};
    case Fault::kLinkDown:
      return {kTheSpared};
    case Fault::kPartition:
    case Fault::kRequestsLost:
    case Fault::kAnswersLost:
    case Fault::kLostCalls:
    case Fault::kDelay:
    case Fault::kSlowLink:
      break;
  }
  return {kLinks};
}

template <class Values>
void shuffle(Values& values, Dice& dice) {
  for (std::size_t n = values.size(); n > 1; --n) {
    std::swap(values[n - 1], values[dice.below(n)]);
  }
}

class Planner {
 public:
  explicit Planner(std::uint64_t seed) : dice_(seed) {}

  void add(Fault fault) {
    const Reach reach = reach_of(fault);
    Strike strike{.fault = fault, .begins = {}, .ends = {}, .places = {}};
    if (reach.all) {
      strike.places.assign(reach.places.begin(), reach.places.end());
    } else {
      strike.places.push_back(reach.places[dice_.below(reach.places.size())]);
    }
    strike.begins = latest_ + milliseconds(dice_.between(300, 1200));
    for (const Place place : strike.places) {
      strike.begins = std::max(strike.begins, free_[static_cast<std::size_t>(place)]);
    }
    latest_ = strike.begins;
    strike.ends = strike.begins + milliseconds(dice_.between(reach.shortest_ms, reach.longest_ms));
    add_steps(strike);
    // A rest, in which it is seen that the place is used again.
    const auto rest = milliseconds(dice_.between(1000, 3000));
    for (const Place place : strike.places) {
      free_[static_cast<std::size_t>(place)] = strike.ends + rest;
    }
    plan_.strikes.push_back(std::move(strike));
  }

  [[nodiscard]] milliseconds latest() const { return latest_; }

  Plan finish() && {
    std::stable_sort(plan_.steps.begin(), plan_.steps.end(), [](const Step& a, const Step& b) {
      return a.at < b.at;
    });
    return std::move(plan_);
  }

 private:
  void add_steps(const Strike& strike) {
    std::vector<Place> order = strike.places;
    const bool spread = strike.fault == Fault::kSwizzle;
    const milliseconds part =
        spread ? (strike.ends - strike.begins) / (2 * static_cast<int>(order.size()))
               : milliseconds(0);
    for (const Act act : {Act::kBegin, Act::kEnd}) {
      if (spread) {
        shuffle(order, dice_);
      }
      // The last place is healed at the very end.
      milliseconds at = act == Act::kBegin
                            ? strike.begins
                            : strike.ends - part * (static_cast<int>(order.size()) - 1);
      for (const Place place : order) {
        plan_.steps.push_back({at, act, place, plan_.strikes.size()});
        at += part;
      }
    }
  }

  Dice dice_;
  Plan plan_;
  milliseconds latest_{};
  std::array<milliseconds, kPlaces> free_{};
};

}  // namespace

std::string_view name_of(Fault fault) { return kTexts[static_cast<std::size_t>(fault)].name; }

std::string_view description_of(Fault fault) {
  return kTexts[static_cast<std::size_t>(fault)].description;
}

std::vector<Fault> all_faults() {
  std::vector<Fault> faults;
  for (std::size_t n = 0; n < kFaults; ++n) {
    faults.push_back(static_cast<Fault>(n));
  }
  return faults;
}

std::string_view name_of(Place place) { return kPlaceNames[static_cast<std::size_t>(place)]; }

Plan make_plan(std::uint64_t seed, milliseconds length) {
  Planner planner(seed);
  Dice order(simulation::mixed(seed));
  std::vector<Fault> faults = all_faults();
  for (bool first = true; first || planner.latest() < length; first = false) {
    shuffle(faults, order);
    for (const Fault fault : faults) {
      if (first || planner.latest() < length) {
        planner.add(fault);
      }
    }
  }
  return std::move(planner).finish();
}

}  // namespace gradmill::chaos
