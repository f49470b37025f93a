// Announces the node to coordinators, for as long as it runs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/address.h"
#include "compute_node/membership/join_link.h"
#include "compute_node/membership/join_plan.h"

namespace gradmill::node {

/// Enacts a JoinPlan on a thread of its own and logs its news. Thread-safe.
class Joiner {
 public:
  /// When a coordinator, named by its id, last asked anything of the node. Thread-safe.
  using LastHeard = std::function<JoinPlan::TimePoint(const std::string&)>;

  Joiner(const std::vector<Address>& coordinators,
         Announcement announcement,
         const JoinLinkFactory& make_link,
         LastHeard last_heard);
  Joiner(const Joiner&) = delete;
  Joiner& operator=(const Joiner&) = delete;
  ~Joiner();

  /// Announces no more and ends the call in progress. Whether the thread has ended within `wait`: a
  /// name that is being looked up cannot be interrupted.
  [[nodiscard]] bool stop(std::chrono::milliseconds wait);

 private:
  void run();
  void announce(std::unique_lock<std::mutex>& lock, std::size_t coordinator);

  const Announcement announcement_;
  const LastHeard last_heard_;
  std::vector<std::unique_ptr<JoinLink>> links_;  // in the plan's order

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_, as all below
  bool ended_ = false;
  JoinPlan plan_;
  std::thread thread_;
};

}  // namespace gradmill::node
