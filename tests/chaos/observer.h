// Watches a cluster from the side: the coordinator's log, results of nodes, resources.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chaos/measures.h"
#include "chaos/run_clock.h"
#include "chaos/stage.h"
#include "system/process.h"

namespace gradmill::chaos {

/// Reads the log of one process of the coordinator after the other. Thread-safe.
class CoordinatorLog {
 public:
  explicit CoordinatorLog(const RunClock& clock) : clock_(clock) {}

  /// From now on the log is that of `coordinator`; what the one before has said is read first.
  void follow(std::shared_ptr<system_test::Process> coordinator);
  /// Reads what is new.
  void read();
  [[nodiscard]] std::vector<LogEntry> entries() const;

 private:
  void read_locked();

  const RunClock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<system_test::Process> coordinator_;
  std::size_t position_ = 0;
  std::vector<LogEntry> entries_;
};

/// Resources of all processes that run, now.
[[nodiscard]] std::vector<ResourceSample> sample_resources(const Stage& stage, Seconds now);

/// Asks, in a thread of its own, for results of nodes and for resources several times a second.
class Observer {
 public:
  struct Observations {
    std::vector<ResultCount> results;
    std::vector<ResourceSample> resources;
  };

  /// All must outlive it.
  Observer(const Stage& stage, CoordinatorLog& log, const RunClock& clock);
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  ~Observer();

  /// Ends the watch.
  [[nodiscard]] Observations stop();

 private:
  void run();
  void count_results();
  void end();

  const Stage& stage_;
  CoordinatorLog& log_;
  const RunClock& clock_;
  Observations seen_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gradmill::chaos
