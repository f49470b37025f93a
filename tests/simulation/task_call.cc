#include "simulation/task_call.h"

#include <chrono>
#include <utility>

#include "simulation/arithmetic.h"

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;
using coordinator::LossReason;

constexpr Duration kDeadline = 3s;
// A connection that broke while the node worked is made anew so often.
constexpr int kReconnectsMax = 1;

}  // namespace

void TaskCall::send(std::function<std::optional<Duration>(Node&)> execute) {
  Call call;
  call.execute = std::move(execute);
  call.answer = [id = offer_.id](Node& node) { return node.answer(id); };
  call.ended = [self = shared_from_this(),
                life = service_.life.shared_from_this()](const CallResult& result) {
    life->run([self, result] { self->handle(result); });
  };
  service_.network.call(node_, kDeadline, std::move(call));
}

void TaskCall::send_offer() {
  send([offer = offer_, epoch = service_.epoch](Node& node) { return node.offer(offer, epoch); });
}

void TaskCall::poll() {
  send([id = offer_.id, epoch = service_.epoch](Node& node) { return node.poll(id, epoch); });
}

void TaskCall::handle(const CallResult& result) {
  if (result.answer) {
    handle(*result.answer);
  } else if (running_ && !result.refused && reconnects_ < kReconnectsMax &&
             service_.around.dice.chance(0.5)) {
    ++reconnects_;
    poll();
  } else {
    end({.kind = TaskEnd::Kind::kLost,
         .result = {},
         .reason = LossReason::kConnectionLost,
         .fault = result.why});
  }
}

void TaskCall::handle(const Answer& answer) {
  switch (answer.state) {
    case TaskState::kRunning:
      running_ = true;
      service_.events.accepted(offer_.id);
      return wanted_ ? poll() : cancel_at_node();
    case TaskState::kMissing:
      return deliver();
    case TaskState::kDone:
      return finish(answer);
    case TaskState::kRefused:
      return end({.kind = TaskEnd::Kind::kRefused, .result = {}, .fault = {}});
    case TaskState::kFailed:
      return end({.kind = TaskEnd::Kind::kFailed,
                  .result = {},
                  .reason = LossReason::kNodeError,
                  .fault = "cannot do it"});
    case TaskState::kDiverged:
      return end({.kind = TaskEnd::Kind::kDiverged, .result = {}, .fault = {}});
    case TaskState::kBusy:
      return lose(LossReason::kBusy);
    case TaskState::kCancelled:
      return lose(LossReason::kCancelled);
    case TaskState::kNotFound:
      return lose(LossReason::kNotFound);
  }
}

void TaskCall::deliver() {
  service_.events.taken(offer_.id);
  if (!wanted_) {
    lose(LossReason::kCancelled);
    return;
  }
  const Duration transfer = service_.around.dice.between(Duration{1ms}, Duration{40ms});
  service_.life.after(transfer, [self = shared_from_this()] {
    self->send([offer = self->offer_, epoch = self->service_.epoch](Node& node) {
      node.put_shard(offer.id);
      return node.offer(offer, epoch);
    });
  });
}

void TaskCall::cancel_at_node() {
  Call call;
  call.execute = [id = offer_.id, epoch = service_.epoch](Node& node) {
    node.cancel(id, epoch);
    return std::optional(Duration{});
  };
  call.answer = [](const Node&) { return Answer{}; };
  call.ended = [self = shared_from_this(),
                life = service_.life.shared_from_this()](const CallResult& /*result*/) {
    life->run([self] { self->lose(LossReason::kCancelled); });
  };
  service_.network.call(node_, kDeadline, std::move(call));
}

void TaskCall::finish(const Answer& answer) {
  if (answer.corrupted || answer.weights != offer_.weights.ref.digest) {
    end({.kind = TaskEnd::Kind::kFailed,
         .result = {},
         .reason = LossReason::kInvalidResult,
         .fault = "sent a delta that is not the one it announced"});
    return;
  }
  TaskEnd done;
  done.kind = TaskEnd::Kind::kDone;
  done.result.delta = answer.delta;
  done.result.wrong = offer_.rows ? wrong_in(answer.delta, offer_.rows->count) : 0;
  done.result.epochs = 1;
  end(std::move(done));
}

}  // namespace gradmill::simulation
