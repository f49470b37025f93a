// The coordinator's way to one node.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/address.h"
#include "base/blob.h"
#include "coordinator/core/task.h"
#include "protocol/task.h"

namespace gradmill::coordinator {

/// What a heartbeat tells.
struct Heartbeat {
  NodeHello hello;
  bool leaving = false;  ///< The node takes no new work.
};

/// One connection to one node, made when it is needed. Every call has a deadline of seconds and
/// throws Error: kUnreachable when the node does not answer as it should, kUnavailable after
/// interrupt(), others as the node says. For one thread at a time, except interrupt().
class NodeLink {
 public:
  virtual ~NodeLink() = default;
  [[nodiscard]] virtual Heartbeat heartbeat(std::span<const std::string> live_jobs) = 0;
  /// Offers a task; the answer comes once it is decided, or after `wait` with kRunning. With
  /// `inline_weights` the weights go along.
  [[nodiscard]] virtual TaskAnswer run_task(const TaskOffer& offer,
                                            bool inline_weights,
                                            std::chrono::milliseconds wait) = 0;
  [[nodiscard]] virtual TaskAnswer poll_task(const TaskId& task,
                                             std::chrono::milliseconds wait) = 0;
  virtual void cancel_task(const TaskId& task) = 0;
  virtual void put_blob(const Blob& blob) = 0;
  /// The blob, checked against its name.
  [[nodiscard]] virtual Blob get_blob(const BlobRef& blob) = 0;
  /// Makes the call in progress and all later ones fail at once. From any thread.
  virtual void interrupt() = 0;
};

/// Makes links to the node at an address. Thread-safe.
using NodeLinkFactory = std::function<std::unique_ptr<NodeLink>(const Address&)>;

}  // namespace gradmill::coordinator
