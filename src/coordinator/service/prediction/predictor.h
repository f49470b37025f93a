// Predictions for clients, by whichever node is free.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "coordinator/ports/node_link.h"
#include "coordinator/service/node_listener.h"
#include "coordinator/service/prediction/batch_queue.h"
#include "coordinator/service/prediction/model_source.h"
#include "coordinator/service/prediction/node_choice.h"
#include "coordinator/service/statistics/model_recorders.h"
#include "protocol/node_status.h"
#include "protocol/prediction.h"

namespace gradmill::coordinator {

struct PredictorOptions {
  std::uint32_t batch_rows = 4096;            ///< Requests are put together up to so many rows.
  std::chrono::microseconds batch_delay{0};   ///< For a batch to fill, while all nodes are busy.
  std::uint64_t queued_rows_max = 1U << 20U;  ///< Beyond, requests are turned away.
  std::uint32_t queued_requests_max = 1024;   ///< Likewise.
  std::uint32_t calls_per_node = 2;           ///< At a time; each is a connection.
  std::chrono::milliseconds call_deadline{3000};       ///< Of one call to a node.
  std::chrono::milliseconds request_deadline{10'000};  ///< Of all tries for one request.
};

/// Asks nodes for predictions, over connections that nothing else uses. A request that finds a node
/// free goes there at once, from the caller's own thread. Else it waits, and once a node is free,
/// one of those that wait asks for all of them that can go together. What a node fails to answer is
/// asked of another one. Thread-safe. No call to a node is made under the lock, which is a leaf.
class Predictor final : public NodeListener {
 public:
  /// `models` must outlive it.
  Predictor(const PredictorOptions& options, NodeLinkFactory make_link, ModelSource& models);
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;
  ~Predictor() override;

  /// What the model says of the rows, which check_rows() has seen; they stay the caller's. Throws
  /// Error: kNotFound for an unknown model, kInvalidInput for rows of another width, kUnavailable
  /// at once if too many wait or no node serves, and if no node has answered in time.
  [[nodiscard]] ModelPredictions predict(const std::string& model, const RawRows& rows);
  /// The model that a reference stands for now; throws as predict().
  [[nodiscard]] std::shared_ptr<const ServedModel> served(const std::string& model) const {
    return models_.resolve(model);
  }

  /// Counts what is predicted from now on; before all predictions. `recorders` must outlive it.
  void record_in(ModelRecorders& recorders) { recorders_ = &recorders; }
  /// Adds the last predictions of nodes to what is known of them.
  void tell_of_answers(std::vector<NodeStatus>& nodes);

  void node_serves(NodeId node, const Address& address, const std::string& incarnation) override;
  void node_silent(NodeId node) override;
  void node_gone(NodeId node) override;

  /// Ends all calls; later ones throw Error(kUnavailable).
  void stop();

 private:
  /// A connection to a node, in use or not.
  struct Link {
    NodeId node = 0;
    std::unique_ptr<NodeLink> link;
    std::atomic<bool> interrupted = false;
    TimePoint answered_at{};  // last; only whoever uses it reads and writes this
  };
  struct Node {
    Address address;
    std::vector<std::shared_ptr<Link>> links;
    std::vector<std::shared_ptr<Link>> idle;  // some of them
    TimePoint answered_at{};                  // last; 0: never
  };
  enum class State : int { kWaits, kLeads, kEnded };
  struct Failure;
  struct Request;
  using Queue = BatchQueue<Request>;
  using Batch = Queue::Batch;
  /// Requests and the connection they go by. Their first one makes the call.
  struct Trip {
    Batch batch;
    std::shared_ptr<Link> link;
    std::uint64_t rows = 0;
  };

  void lead(const std::shared_ptr<Request>& self);
  [[nodiscard]] RowPredictions ask(const Trip& trip);
  static void deliver(const Trip& trip, const std::shared_ptr<const RowPredictions>& answer);
  void record(const Request& request) const;
  void try_again(const std::shared_ptr<Request>& self, const Trip& trip, const Error& error);
  [[nodiscard]] Trip start(Batch batch, NodeId node);
  void end(const Trip& trip);
  void drop(const std::shared_ptr<Link>& link);
  [[nodiscard]] bool holds_back() const;
  [[nodiscard]] Batch serve_waiting();
  /// These set what a request's thread finds; it sleeps on until wake().
  static void fail(const Batch& batch, const Error& error);
  static void wake(const Batch& woken);
  void keep_time();

  const PredictorOptions options_;
  const NodeLinkFactory make_link_;
  ModelSource& models_;
  ModelRecorders* recorders_ = nullptr;

  std::mutex mutex_;
  NodeChoice choice_;  // guarded by mutex_, as all below
  std::map<NodeId, Node> nodes_;
  Queue queue_;
  bool stopping_ = false;
  std::condition_variable held_back_;  // for the timer
  std::thread timer_;                  // only if batches may wait
};

}  // namespace gradmill::coordinator
