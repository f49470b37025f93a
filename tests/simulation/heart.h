// The heartbeats of one node, as the service makes them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/core/nodes/node_registry.h"
#include "simulation/life.h"
#include "simulation/network.h"

namespace gradmill::simulation {

/// Who is told of heartbeats.
class HeartEvents {
 public:
  virtual ~HeartEvents() = default;
  virtual void heard(coordinator::NodeId node, const coordinator::NodeBeat& beat) = 0;
  virtual void missed(coordinator::NodeId node, const std::string& why) = 0;
  virtual void gone(coordinator::NodeId node, const std::string& why, Duration took) = 0;
  [[nodiscard]] virtual std::vector<std::string> live_jobs() const = 0;
};

/// Asks the node how it is, one call at a time, until it is stopped or the life ends.
class Heart : public std::enable_shared_from_this<Heart> {
 public:
  Heart(Network& network, Life& life, HeartEvents& events, Node& node, coordinator::NodeId id)
      : network_(network), life_(life), events_(events), node_(node), id_(id) {}

  /// Asks now, and regularly from then on.
  void beat(std::uint64_t epoch);
  void stop() { stopped_ = true; }
  [[nodiscard]] Node& node() const { return node_; }

 private:
  void handle(const CallResult& result, Duration took, std::uint64_t epoch);

  Network& network_;
  Life& life_;
  HeartEvents& events_;
  Node& node_;
  coordinator::NodeId id_;
  bool asking_ = false;
  std::uint64_t turn_ = 0;  // only the newest plan to ask counts
  bool stopped_ = false;
};

}  // namespace gradmill::simulation
