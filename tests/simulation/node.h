// A simulated compute node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/address.h"
#include "coordinator/core/nodes/node_registry.h"
#include "coordinator/core/task.h"
#include "simulation/arithmetic.h"
#include "simulation/surroundings.h"

namespace gradmill::simulation {

/// What a node says of an offer, as the wire has it, or of itself.
struct Answer {
  TaskId task;
  TaskState state = TaskState::kNotFound;
  Digest weights;          ///< kDone: what the delta starts from.
  Blob delta;              ///< kDone
  bool corrupted = false;  ///< The bytes are not those that were announced.
  coordinator::NodeBeat beat;
};

/// How a node is.
struct NodeTraits {
  NodeSource source = NodeSource::kListed;
  std::uint32_t slots = 1;
  Duration task_time{};
  bool has_shards = true;  ///< Else it asks for each once.
  bool other_kernel = false;
  bool broken = false;  ///< Its results are valid, and wrong.
};

/// A machine with a process that takes offers as the compute node's worker does: work is known by
/// its content, survives broken connections, is taken over by newer offers, and is fenced by the
/// coordinator's epoch.
class Node {
 public:
  Node(Surroundings& around, Address address, const NodeTraits& traits)
      : around_(around), address_(std::move(address)), traits_(traits) {}

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] const NodeTraits& traits() const { return traits_; }
  /// Of its process.
  [[nodiscard]] std::uint64_t incarnation() const { return incarnation_; }
  [[nodiscard]] std::string incarnation_text() const { return std::to_string(incarnation_); }
  [[nodiscard]] bool is_up() const { return up_; }
  [[nodiscard]] TimePoint paused_until() const { return paused_until_; }
  [[nodiscard]] TimePoint cut_off_until() const { return cut_off_until_; }
  [[nodiscard]] TimePoint heard_at() const { return heard_at_; }

  /// The process ends, with all its work; a new one starts.
  void crash();
  void start();
  void pause(TimePoint until) { paused_until_ = until; }
  void cut_off(TimePoint until) { cut_off_until_ = until; }
  void slow_down(TimePoint until) { slow_until_ = until; }
  void leave() { leaving_ = true; }
  /// Where the loss of a job becomes infinite.
  void set_divergence(const std::string& job, const Divergence& divergence) {
    divergences_[job] = divergence;
  }

  /// `end` is called when a process of the node is to end, since it has begun this shard.
  void set_poison(const std::string& job, std::uint32_t shard, std::function<void()> end) {
    poisons_[{job, shard}] = std::move(end);
  }
  /// Processes that have ended after they had said that they had begun the task.
  [[nodiscard]] std::ptrdiff_t deaths(const TaskId& task) const {
    const auto found = deaths_.find(key_of(task));
    return found == deaths_.end() ? 0 : found->second;
  }
  /// Those of any round.
  [[nodiscard]] std::ptrdiff_t deaths(const std::string& job, std::uint32_t shard) const;

  /// Takes an offer, or not; nothing if the coordinator's start is not the newest. Returns how long
  /// it takes until there is more to say than that it runs.
  [[nodiscard]] std::optional<Duration> offer(const coordinator::TaskOffer& offer,
                                              std::uint64_t epoch);
  [[nodiscard]] std::optional<Duration> poll(const TaskId& task, std::uint64_t epoch);
  /// How the offer stands.
  [[nodiscard]] Answer answer(const TaskId& task);
  void cancel(const TaskId& task, std::uint64_t epoch);
  void put_shard(const TaskId& task) { shards_.insert({task.job, task.shard}); }
  /// False if the coordinator's start is not the newest.
  [[nodiscard]] bool heartbeat(const std::vector<std::string>& live_jobs, std::uint64_t epoch);
  [[nodiscard]] coordinator::NodeBeat beat() const;

 private:
  using Key = std::tuple<std::string, std::uint32_t, std::uint32_t>;
  struct Work {
    coordinator::TaskOffer offer;
    TimePoint ends_at{};
    bool fails = false;
    unsigned beats_unlisted = 0;
  };

  [[nodiscard]] static Key key_of(const TaskId& task) { return {task.job, task.round, task.shard}; }
  [[nodiscard]] bool admits(std::uint64_t epoch);
  [[nodiscard]] std::optional<TaskState> turns_away(const coordinator::TaskOffer& offer);
  void begin(const coordinator::TaskOffer& offer);
  [[nodiscard]] bool diverges(const TaskId& task) const;
  [[nodiscard]] Duration until_end(const Work& work) const;

  Surroundings& around_;
  Address address_;
  NodeTraits traits_;
  std::uint64_t incarnation_ = 1;
  bool up_ = true;
  bool leaving_ = false;
  TimePoint started_at_{};
  TimePoint paused_until_{};
  TimePoint cut_off_until_{};
  TimePoint slow_until_{};
  TimePoint heard_at_{};
  std::uint64_t epoch_ = 0;
  std::map<Key, Work> works_;
  std::map<TaskId, TaskState> turned_away_;  // offers that did not become work, until answered
  std::set<std::pair<std::string, std::uint32_t>> shards_;
  std::map<std::string, Divergence> divergences_;
  std::map<std::pair<std::string, std::uint32_t>, std::function<void()>> poisons_;
  std::set<Key> said_begun_;  // by this process
  std::map<Key, std::ptrdiff_t> deaths_;
};

}  // namespace gradmill::simulation
