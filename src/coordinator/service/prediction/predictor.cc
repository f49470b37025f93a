#include "coordinator/service/prediction/predictor.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.h"
#include "protocol/model_name.h"

namespace gradmill::coordinator {
namespace {

using Clock = std::chrono::steady_clock;

// A request that failed so often on its way is not tried again.
constexpr int kTriesMax = 5;
// A node that still lacks a model after so many deliveries is at fault.
constexpr int kDeliveriesMax = 3;

[[nodiscard]] Error no_node() {
  return {ErrorCode::kUnavailable, "no compute node can predict now; see client node list"};
}

[[nodiscard]] Error stopping() { return {ErrorCode::kUnavailable, "the coordinator is stopping"}; }

bool may_pass(const Error& error) {
  return error.code() == ErrorCode::kUnreachable || error.code() == ErrorCode::kUnavailable;
}

/// Throws as a call does that found nobody who makes sense.
void check(const RowPredictions& predictions, std::uint64_t rows, const ServedModel& model) {
  try {
    check_predictions(predictions,
                      static_cast<std::uint32_t>(rows),
                      static_cast<std::uint32_t>(model.labels.size()));
  } catch (const Error& error) {
    throw Error(ErrorCode::kUnreachable, error.what());
  }
}

/// What clients are told of an error of a node.
Error for_clients(const Error& error) {
  if (error.code() == ErrorCode::kNotFound) {
    return error;  // The model's file is gone: no matter of the node.
  }
  return {may_pass(error) ? ErrorCode::kUnavailable : ErrorCode::kFailed,
          "a compute node failed to predict: " + std::string(error.what())};
}

}  // namespace

/// Why a request came to nothing. Each has a text of its own, for the thread that throws it.
struct Predictor::Failure {
  ErrorCode code = ErrorCode::kUnavailable;
  std::string message;
};

/// A caller's rows on their way, and its thread that sleeps meanwhile. Written by one thread at a
/// time: its own, or the one that holds the lock while it waits, or the one that leads its batch.
struct Predictor::Request : QueuedRows {
  std::atomic<State> state = State::kWaits;  // Tells its thread.
  Trip trip;                                 // kLeads
  int tries = 0;
  Clock::time_point sent{};
  std::shared_ptr<const RowPredictions> answer;  // kEnded, unless there is an error
  std::size_t first_row = 0;                     // of its own in the answer
  std::optional<Failure> failure;
};

Predictor::Predictor(const PredictorOptions& options,
                     NodeLinkFactory make_link,
                     ModelSource& models)
    : options_(options),
      make_link_(std::move(make_link)),
      models_(models),
      choice_(options.calls_per_node),
      queue_(options.queued_requests_max, options.queued_rows_max, options.batch_rows) {
  if (options_.batch_delay.count() > 0) {
    timer_ = std::thread([this] { keep_time(); });
  }
}

Predictor::~Predictor() { stop(); }

void Predictor::stop() {
  Batch woken;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [id, node] : nodes_) {
      for (const std::shared_ptr<Link>& link : node.links) {
        link->interrupted = true;
        link->link->interrupt();
      }
    }
    woken = queue_.take_all();
    fail(woken, stopping());
    held_back_.notify_all();
  }
  wake(woken);
  if (timer_.joinable()) {
    timer_.join();
  }
}

ModelPredictions Predictor::predict(const std::string& reference, const RawRows& rows) {
  const auto self = std::make_shared<Request>();
  self->model = models_.resolve(reference);
  self->rows = rows;
  self->arrived = Clock::now();
  const ServedModel& model = *self->model;
  if (rows.features != model.features) {
    throw invalid_input("the rows have " + std::to_string(rows.features) + " features; model " +
                        version_reference(model.model, model.version) + " takes " +
                        std::to_string(model.features));
  }
  {
    std::unique_lock lock(mutex_);
    if (stopping_) {
      throw stopping();
    }
    const std::optional<NodeId> node = choice_.choose(model.file.digest);
    if (node && queue_.empty() && (options_.batch_delay.count() == 0 || choice_.has_idle_node())) {
      self->trip = start({self}, *node);
      self->state.store(State::kLeads, std::memory_order_relaxed);
    } else {
      if (!choice_.has_node() && !choice_.has_calls()) {
        throw no_node();
      }
      if (!queue_.add(self)) {
        throw Error(ErrorCode::kUnavailable,
                    "too many predictions wait for a node (the coordinator's --max-queued-rows and "
                    "--max-queued-requests); try again");
      }
      const Batch woken = serve_waiting();
      lock.unlock();
      wake(woken);
    }
  }
  for (;;) {
    self->state.wait(State::kWaits, std::memory_order_acquire);
    if (self->state.load(std::memory_order_acquire) == State::kEnded) {
      break;
    }
    lead(self);
  }
  if (self->failure) {
    throw Error(self->failure->code, self->failure->message);
  }
  record(*self);
  const auto part = [&](const std::string& all, std::size_t element) {
    return all.substr(self->first_row * element, rows.rows * element);
  };
  return {.model = model.model,
          .version = model.version,
          .rows = {.classes = part(self->answer->classes, sizeof(std::uint16_t)),
                   .probabilities = part(self->answer->probabilities, sizeof(float)),
                   .compute_ns = self->answer->compute_ns},
          .queue_ns = std::chrono::nanoseconds(self->sent - self->arrived).count()};
}

void Predictor::record(const Request& request) const {
  if (recorders_ == nullptr) {
    return;
  }
  const auto now = Clock::now();
  const Duration taken = now - request.sent;
  // No node computes for longer than it had the rows, whatever it says.
  const Duration compute =
      std::clamp<Duration>(std::chrono::nanoseconds(request.answer->compute_ns), {}, taken);
  recorders_->add_request(request.model->model,
                          request.model->version,
                          {.queue = request.sent - request.arrived,
                           .compute = compute,
                           .total = now - request.arrived,
                           .rows = request.rows.rows},
                          now);
}

/// Makes the call of a batch whose first request is `self`.
void Predictor::lead(const std::shared_ptr<Request>& self) {
  const Trip trip = std::move(self->trip);
  self->state.store(State::kWaits, std::memory_order_relaxed);
  const auto sent = Clock::now();
  for (const std::shared_ptr<Request>& request : trip.batch) {
    request->sent = sent;
    ++request->tries;
  }
  std::shared_ptr<const RowPredictions> answer;
  try {
    answer = std::make_shared<const RowPredictions>(ask(trip));
    trip.link->answered_at = Clock::now();
  } catch (const Error& error) {
    try_again(self, trip, error);
    return;
  } catch (...) {  // Out of memory, most likely.
    const Error error(ErrorCode::kUnavailable, message_for_peers() + "; try again later");
    drop(trip.link);
    fail(trip.batch, error);
    wake(trip.batch);
    end(trip);
    return;
  }
  // The next batch is not to wait for all of this one to be woken.
  deliver(trip, answer);
  end(trip);
  wake(trip.batch);
}

RowPredictions Predictor::ask(const Trip& trip) {
  const ServedModel& model = *trip.batch.front()->model;
  std::vector<RawRows> parts;
  parts.reserve(trip.batch.size());
  for (const std::shared_ptr<Request>& request : trip.batch) {
    parts.push_back(request->rows);
  }
  for (int delivery = 0;; ++delivery) {
    std::optional<RowPredictions> predictions =
        trip.link->link->predict(model.file.digest, parts, options_.call_deadline);
    if (predictions) {
      check(*predictions, trip.rows, model);
      return *std::move(predictions);
    }
    if (delivery == kDeliveriesMax) {
      throw Error(ErrorCode::kFailed, "lacks the model that it was sent");
    }
    trip.link->link->put_model(models_.file(model.file));
  }
}

void Predictor::deliver(const Trip& trip, const std::shared_ptr<const RowPredictions>& answer) {
  std::size_t first = 0;
  for (const std::shared_ptr<Request>& request : trip.batch) {
    request->answer = answer;
    request->first_row = first;
    first += request->rows.rows;
    request->state.store(State::kEnded, std::memory_order_release);
  }
}

/// The call failed: whatever may still be answered in time is asked of another node.
void Predictor::try_again(const std::shared_ptr<Request>& self,
                          const Trip& trip,
                          const Error& error) {
  const auto now = Clock::now();
  const bool hangs = now - self->sent > options_.call_deadline / 2;
  const bool refused = dynamic_cast<const ConnectionRefused*>(&error) != nullptr;
  const Error failure = for_clients(error);
  Batch again;
  Batch ended;
  for (const std::shared_ptr<Request>& request : trip.batch) {
    const bool in_time = now - request->arrived < options_.request_deadline;
    (may_pass(error) && in_time && request->tries < kTriesMax ? again : ended).push_back(request);
  }
  drop(trip.link);
  {
    const std::lock_guard lock(mutex_);
    if (refused || hangs) {
      choice_.pauses(trip.link->node);  // Until its next heartbeat.
    }
    if (!stopping_) {
      queue_.put_back(again);
    } else {
      ended.insert(ended.end(), again.begin(), again.end());
    }
    fail(ended, failure);
  }
  end(trip);  // Starts what waits, if it can.
  wake(ended);
}

/// Takes a connection for a batch. Under the lock.
Predictor::Trip Predictor::start(Batch batch, NodeId id) {
  Node& node = nodes_.at(id);
  Trip trip;
  if (node.idle.empty()) {
    trip.link = std::make_shared<Link>();
    trip.link->node = id;
    trip.link->link = make_link_(node.address);
    node.links.push_back(trip.link);
  } else {
    trip.link = std::move(node.idle.back());
    node.idle.pop_back();
  }
  for (const std::shared_ptr<Request>& request : batch) {
    trip.rows += request->rows.rows;
  }
  choice_.begin(id, trip.rows);
  choice_.holds(id, batch.front()->model->file.digest);
  trip.batch = std::move(batch);
  return trip;
}

/// The connection is free; whoever waits may have it.
void Predictor::end(const Trip& trip) {
  Batch woken;
  {
    const std::lock_guard lock(mutex_);
    choice_.end(trip.link->node, trip.rows);
    const auto node = nodes_.find(trip.link->node);
    if (node != nodes_.end() && !trip.link->interrupted &&
        std::find(node->second.links.begin(), node->second.links.end(), trip.link) !=
            node->second.links.end()) {
      node->second.answered_at = std::max(node->second.answered_at, trip.link->answered_at);
      node->second.idle.push_back(trip.link);
    }
    woken = serve_waiting();
  }
  wake(woken);
}

/// The connection is not used again.
void Predictor::drop(const std::shared_ptr<Link>& link) {
  const std::lock_guard lock(mutex_);
  link->interrupted = true;
  if (const auto node = nodes_.find(link->node); node != nodes_.end()) {
    std::erase(node->second.links, link);
  }
}

bool Predictor::holds_back() const {
  return options_.batch_delay.count() > 0 && !choice_.has_idle_node() && !queue_.has_full_batch() &&
         Clock::now() < queue_.front().arrived + options_.batch_delay;
}

/// Gives what waits to nodes with room; returns those who make the calls, to be woken. Under the
/// lock.
Predictor::Batch Predictor::serve_waiting() {
  Batch leaders;
  while (!queue_.empty()) {
    const std::optional<NodeId> node = choice_.choose(queue_.front().model->file.digest);
    if (!node && !choice_.has_calls() && !choice_.has_node()) {
      Batch lost = queue_.take_all();
      fail(lost, no_node());
      std::move(lost.begin(), lost.end(), std::back_inserter(leaders));
      break;
    }
    if (!node) {
      break;
    }
    if (holds_back()) {
      held_back_.notify_all();
      break;
    }
    Batch batch = queue_.take();
    const std::shared_ptr<Request> leader = batch.front();
    try {
      leader->trip = start(std::move(batch), *node);
      leader->state.store(State::kLeads, std::memory_order_release);
      leaders.push_back(leader);
    } catch (const std::exception&) {  // No descriptor or no memory for a connection.
      Batch lost = queue_.take_all();
      lost.push_back(leader);
      fail(lost, Error(ErrorCode::kUnavailable, message_for_peers() + "; try again later"));
      std::move(lost.begin(), lost.end(), std::back_inserter(leaders));
    }
  }
  return leaders;
}

void Predictor::fail(const Batch& batch, const Error& error) {
  for (const std::shared_ptr<Request>& request : batch) {
    request->failure = {error.code(), error.what()};
    request->state.store(State::kEnded, std::memory_order_release);
  }
}

void Predictor::wake(const Batch& woken) {
  for (const std::shared_ptr<Request>& request : woken) {
    request->state.notify_one();
  }
}

void Predictor::node_serves(NodeId id, const Address& address, const std::string& incarnation) {
  Batch woken;
  {
    const std::lock_guard lock(mutex_);
    nodes_[id].address = address;
    choice_.serves(id, incarnation);
    woken = serve_waiting();
  }
  wake(woken);
}

void Predictor::node_silent(NodeId id) {
  const std::lock_guard lock(mutex_);
  choice_.pauses(id);
}

void Predictor::node_gone(NodeId id) {
  Batch woken;
  {
    const std::lock_guard lock(mutex_);
    choice_.remove(id);
    if (const auto node = nodes_.find(id); node != nodes_.end()) {
      for (const std::shared_ptr<Link>& link : node->second.links) {
        link->interrupted = true;
        link->link->interrupt();
      }
      nodes_.erase(node);
    }
    woken = serve_waiting();
  }
  wake(woken);
}

void Predictor::keep_time() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (queue_.empty()) {
      held_back_.wait(lock);
    } else {
      const auto due = queue_.front().arrived + options_.batch_delay;
      if (Clock::now() < due) {
        held_back_.wait_until(lock, due);
      } else {
        // It waits for a call to end, which serves it.
        held_back_.wait(lock);
      }
    }
    const Batch woken = serve_waiting();
    lock.unlock();
    wake(woken);
    lock.lock();
  }
}

}  // namespace gradmill::coordinator
