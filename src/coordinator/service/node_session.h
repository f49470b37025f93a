// The coordinator's side of one node: a heartbeat thread, and a thread for each training slot.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "coordinator/core/policy/policy.h"
#include "coordinator/ports/node_link.h"
#include "coordinator/service/task_run.h"

namespace gradmill::coordinator {

/// Who hears of nodes and tasks. Thread-safe; called without a lock held.
class NodeEvents {
 public:
  virtual ~NodeEvents() = default;
  virtual void heartbeat(NodeId node, const NodeBeat& beat) = 0;
  virtual void heartbeat_missed(NodeId node, const std::string& why) = 0;
  /// Nobody listens at the node's address, as it took so long to find out.
  virtual void node_gone(NodeId node, const std::string& why, Duration took) = 0;
  virtual void task_taken(const TaskId& task) = 0;
  virtual void task_accepted(const TaskId& task) = 0;
  virtual void task_ended(NodeId node, const TaskId& task, TaskOutcome outcome) = 0;
  [[nodiscard]] virtual std::vector<std::string> live_jobs() = 0;
  /// A blob of a live job, if it is still live.
  [[nodiscard]] virtual std::optional<Blob> blob(const Digest& digest) = 0;
};

/// Watches one node and runs offers on it. Heartbeats have a connection and a thread of their own,
/// so a slow transfer cannot look like a dead node. Thread-safe; owns its threads until stop().
class NodeSession {
 public:
  /// `interval` is the time from one heartbeat to the next.
  NodeSession(NodeId node,
              Address address,
              std::chrono::milliseconds interval,
              NodeLinkFactory make_link,
              NodeEvents& events);
  NodeSession(const NodeSession&) = delete;
  NodeSession& operator=(const NodeSession&) = delete;
  ~NodeSession();

  void start();
  /// Hands over an offer; exactly one task_ended follows, from another thread.
  void offer(TaskOffer offer);
  /// The result of this offer is no longer wanted.
  void cancel(const TaskId& task);
  /// What went over all connections to the node so far.
  [[nodiscard]] LinkBytes bytes();
  /// Ends all calls and threads. Offers still here are dropped without an event.
  void stop();

 private:
  /// One training slot: a thread, its connection and what it does.
  struct Slot {
    std::unique_ptr<NodeLink> link;
    std::thread thread;
  };

  void watch();
  /// One heartbeat; whether the node answered.
  bool beat();
  void work(NodeLink& link);
  [[nodiscard]] std::optional<TaskOffer> next_offer();
  void open_slots(std::uint32_t slots);

  const NodeId node_;
  const Address address_;
  const std::chrono::milliseconds interval_;
  const NodeLinkFactory make_link_;
  NodeEvents& events_;
  SentBlobs sent_;
  std::string incarnation_;  // of the last answer; the watcher's alone
  std::unique_ptr<NodeLink> heart_;
  std::thread watcher_;

  std::mutex mutex_;
  std::condition_variable offered_;  // for the slots
  std::condition_variable watched_;  // for the watcher
  bool stopping_ = false;            // guarded by mutex_, as all below
  bool check_now_ = false;           // a call failed: do not wait for the next beat
  std::deque<TaskOffer> offers_;
  std::set<TaskId> wanted_;  // offers taken or waiting that nobody has cancelled
  std::deque<Slot> slots_;
};

}  // namespace gradmill::coordinator
