// The coordinator's way to one node.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "base/blob.h"
#include "base/error.h"
#include "coordinator/core/nodes/node_registry.h"
#include "coordinator/core/task.h"
#include "protocol/fault_settings.h"
#include "protocol/prediction.h"
#include "protocol/task.h"

namespace gradmill::coordinator {

/// What went over a link, in bytes; both only rise.
struct LinkBytes {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

/// What goes along with an offer.
struct Enclosure {
  bool weights = false;
  std::optional<RawRows> rows{};  ///< Those of a prediction task.
};

/// One connection to one node, made when it is needed. Every call has a deadline of seconds and
/// throws Error: kUnreachable when the node does not answer as it should, kUnavailable after
/// interrupt(), others as the node says. The kUnreachable is a ConnectionRefused if the node's host
/// says that nobody listens there: then the process is gone, while any other one may also be a node
/// that is slow or cut off. Messages leave naming the node to whoever reports them. For one thread
/// at a time, except interrupt() and bytes().
class NodeLink {
 public:
  virtual ~NodeLink() = default;
  [[nodiscard]] virtual NodeBeat heartbeat(std::span<const std::string> live_jobs) = 0;
  /// Offers a task; the answer comes once it is decided, or after `wait` with kRunning.
  [[nodiscard]] virtual TaskAnswer run_task(const TaskOffer& offer,
                                            const Enclosure& enclosed,
                                            std::chrono::milliseconds wait) = 0;
  [[nodiscard]] virtual TaskAnswer poll_task(const TaskId& task,
                                             std::chrono::milliseconds wait) = 0;
  virtual void cancel_task(const TaskId& task) = 0;
  virtual void put_blob(const Blob& blob) = 0;
  /// The blob, checked against its name.
  [[nodiscard]] virtual Blob get_blob(const BlobRef& blob) = 0;
  /// The classes of rows of one element type and width, part after part, by the model of this file;
  /// nothing if the node lacks it.
  [[nodiscard]] virtual std::optional<RowPredictions> predict(
      const Digest& model, std::span<const RawRows> parts, std::chrono::milliseconds deadline) = 0;
  virtual void put_model(const Blob& file) = 0;
  /// Replaces the faults that the node injects into its work. Nothing, here and below: the node was
  /// not started for it.
  virtual std::optional<FaultState> set_faults(const FaultSettings& faults) = 0;
  [[nodiscard]] virtual std::optional<FaultState> faults() = 0;
  /// Makes the call in progress and all later ones fail at once. From any thread.
  virtual void interrupt() = 0;
  /// Of all connections that this link has made so far. From any thread.
  [[nodiscard]] virtual LinkBytes bytes() const = 0;
};

/// Makes links to the node at an address. Thread-safe.
using NodeLinkFactory = std::function<std::unique_ptr<NodeLink>(const Address&)>;

}  // namespace gradmill::coordinator
