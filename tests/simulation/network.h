// The simulated network between the coordinator and its nodes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "simulation/node.h"
#include "simulation/surroundings.h"

namespace gradmill::simulation {

/// What became of a call.
struct CallResult {
  std::optional<Answer> answer;
  std::string why;       ///< Without an answer: why not, for people.
  bool refused = false;  ///< Nobody listens there.
};

/// A call to a node.
struct Call {
  /// Runs on the node when the request arrives, perhaps twice, perhaps after the caller has given
  /// up. Returns how long the node takes to answer; nothing if it does not want to.
  std::function<std::optional<Duration>(Node&)> execute;
  /// The node's answer, when it gives it.
  std::function<Answer(Node&)> answer;
  /// Told once, at the deadline at the latest.
  std::function<void(const CallResult&)> ended;
};

/// Carries calls. Each is a connection of its own, so any may overtake any other. Messages are
/// lost, delayed and duplicated as faults strike; a caller gives up at its deadline.
class Network {
 public:
  explicit Network(Surroundings& around) : around_(around) {}

  void call(Node& node, Duration deadline, Call call);

 private:
  struct Open {
    Node& node;
    Call call;
    TimePoint deadline;
    bool expires = false;  ///< The end of its time is planned.
    bool closed = false;
  };
  using Shared = std::shared_ptr<Open>;

  [[nodiscard]] Duration way();
  void arrive(const Shared& open, bool is_duplicate);
  void respond(const Shared& open, std::uint64_t incarnation);
  /// Plans what happens to the call, and its deadline if that comes first.
  void plan(const Shared& open, TimePoint at, EventQueue::Event event);
  void expire(const Shared& open);
  static void close(const Shared& open, const CallResult& result);

  Surroundings& around_;
};

}  // namespace gradmill::simulation
