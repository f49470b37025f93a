#include "simulation/heart.h"

#include <chrono>
#include <utility>

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Duration kBeat = 1s;
constexpr Duration kRetry = 250ms;
constexpr Duration kDeadline = 2s;

}  // namespace

void Heart::beat(std::uint64_t epoch) {
  if (stopped_ || asking_) {
    return;
  }
  asking_ = true;
  Call call;
  call.execute = [live = events_.live_jobs(), epoch](Node& node) {
    return node.heartbeat(live, epoch) ? std::optional(Duration{}) : std::nullopt;
  };
  call.answer = [](Node& node) {
    Answer answer;
    answer.beat = node.beat();
    return answer;
  };
  call.ended = [self = shared_from_this(),
                life = life_.shared_from_this(),
                epoch,
                asked_at = life_.now()](CallResult result) {
    life->run([self, result = std::move(result), epoch, asked_at]() mutable {
      const Duration took = self->life_.now() - asked_at;
      if (result.answer) {
        result.answer->beat.took = took;
      }
      self->handle(result, took, epoch);
    });
  };
  network_.call(node_, kDeadline, std::move(call));
}

void Heart::handle(const CallResult& result, Duration took, std::uint64_t epoch) {
  asking_ = false;
  life_.after(result.answer ? kBeat : kRetry, [self = shared_from_this(), epoch, turn = ++turn_] {
    if (turn == self->turn_) {
      self->beat(epoch);
    }
  });
  if (result.answer) {
    events_.heard(id_, result.answer->beat);
  } else if (result.refused) {
    events_.gone(id_, result.why, took);
  } else {
    events_.missed(id_, result.why);
  }
}

}  // namespace gradmill::simulation
