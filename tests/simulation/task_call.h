// The service's side of one offer: from OfferTask to the one answer that the core is owed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/life.h"
#include "simulation/network.h"

namespace gradmill::simulation {

/// How an offer ended.
struct TaskEnd {
  enum class Kind { kDone, kRefused, kFailed, kDiverged, kLost };
  Kind kind = Kind::kLost;
  coordinator::TaskResult result;
  coordinator::LossReason reason = coordinator::LossReason::kConnectionLost;
  std::optional<std::string> fault;
};

/// Who is told of offers.
class TaskEvents {
 public:
  virtual ~TaskEvents() = default;
  virtual void taken(const TaskId& task) = 0;
  virtual void accepted(const TaskId& task) = 0;
  virtual void ended(coordinator::NodeId node, const TaskId& task, TaskEnd end) = 0;
};

/// Offers, delivers what the node lacks, polls, fetches and checks the result.
class TaskCall : public std::enable_shared_from_this<TaskCall> {
 public:
  /// What all offers of one start of the coordinator share.
  struct Service {
    Surroundings& around;
    Network& network;
    Life& life;
    TaskEvents& events;
    std::uint64_t epoch = 1;
  };

  TaskCall(Service& service, Node& node, coordinator::OfferTask offer)
      : service_(service), node_(node), id_(offer.node), offer_(std::move(offer.offer)) {}

  void send_offer();
  /// Its result is no longer wanted.
  void cancel() { wanted_ = false; }

 private:
  void poll();
  void send(std::function<std::optional<Duration>(Node&)> execute);
  void handle(const CallResult& result);
  void handle(const Answer& answer);
  void deliver();
  void cancel_at_node();
  void finish(const Answer& answer);
  void end(TaskEnd end) { service_.events.ended(id_, offer_.id, std::move(end)); }
  void lose(coordinator::LossReason reason) {
    end({.kind = TaskEnd::Kind::kLost, .result = {}, .reason = reason, .fault = {}});
  }

  Service& service_;
  Node& node_;
  coordinator::NodeId id_;
  coordinator::TaskOffer offer_;
  bool wanted_ = true;
  bool running_ = false;
  int reconnects_ = 0;
};

}  // namespace gradmill::simulation
