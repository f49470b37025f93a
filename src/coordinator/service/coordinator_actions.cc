// What the scheduler wants done.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/event_log.h"
#include "coordinator/service/coordinator.h"

namespace gradmill::coordinator {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kWatchRetry{1};
// A round may take a millisecond: this log tells of one in so long, that of the job of each.
constexpr std::chrono::seconds kRoundLogPause{10};

void write_log(const std::string& job, const JobEvent& event) {
  LogEvent line;
  line.level = event.warning ? LogLevel::kWarning : LogLevel::kInfo;
  line.event = event.event;
  const auto add = [&](const char* name, const auto& value) {
    if (value) {
      line.fields.emplace_back(name, *value);
    }
  };
  if (!job.empty()) {
    line.fields.emplace_back("job", job);
  }
  add("round", event.round);
  add("shard", event.shard ? std::optional(*event.shard + 1) : std::nullopt);
  add("attempt", event.attempt);
  if (!event.node.empty()) {
    line.fields.emplace_back("node", event.node);
  }
  if (!event.reason.empty()) {
    line.fields.emplace_back("reason", event.reason);
  }
  line.message = event.message;
  log_event(line);
}

}  // namespace

void Coordinator::enact(Actions actions) {
  for (Action& action : actions) {
    std::visit([this](auto& one) { enact(std::move(one)); }, action);
  }
}

void Coordinator::enact(OfferTask action) {
  sessions_[action.node]->offer(std::move(action.offer));
}

void Coordinator::enact(const CancelTask& action) { sessions_[action.node]->cancel(action.task); }

void Coordinator::enact(AdvanceRound action) {
  to_advance_.push_back(std::move(action));
  to_advance_filled_.notify_one();
}

void Coordinator::enact(ValidateRound action) {
  to_validate_.push_back(std::move(action));
  to_validate_filled_.notify_one();
}

void Coordinator::enact(Save action) {
  complete(action.record);
  journal_.add(action.ticket, std::move(action.record));
}

void Coordinator::enact(const WatchNode& action) {
  sessions_.resize(std::max<std::size_t>(sessions_.size(), action.node + 1));
  try {
    auto session = std::make_unique<NodeSession>(action.node,
                                                 action.address,
                                                 options_.heartbeat_interval,
                                                 make_link_,
                                                 static_cast<NodeEvents&>(*this));
    session->start();
    sessions_[action.node] = std::move(session);
  } catch (const std::exception& error) {  // No thread or descriptor left, which may pass.
    log_event({.level = LogLevel::kWarning,
               .event = "node_unwatched",
               .fields = {{"node", action.address.text()}},
               .message = "cannot be asked how it is, trying again: " + std::string(error.what())});
    unwatched_.push_back(action);
    watch_again_ = Clock::now() + kWatchRetry;
  }
}

void Coordinator::enact(const UnwatchNode& action) {
  std::erase_if(unwatched_, [&](const WatchNode& one) { return one.node == action.node; });
  if (sessions_[action.node] != nullptr) {
    retired_.push_back(std::move(sessions_[action.node]));
    time_changed_.notify_all();
  }
}

void Coordinator::enact(const JobEnded& action) {
  ended_.notify_all();
  event_quota_.forget(action.job);
  if (pinned_.erase(action.job) == 1) {
    blobs_.unpin(action.specification->blobs());
  }
  try {
    blobs_.put(action.weights);
  } catch (const Error&) {
    // They are in the store as well.
  }
}

void Coordinator::enact(Note action) {
  const bool is_round = action.event.event == "round_finished" && !action.event.warning;
  const TimePoint now = Clock::now();
  if (!is_round || now >= next_round_logged_) {
    write_log(action.job, action.event);
    next_round_logged_ = is_round ? now + kRoundLogPause : TimePoint{};
  }
  if (action.job.empty() || !event_quota_.admit(action.job, action.event)) {
    return;
  }
  using std::chrono::milliseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  action.event.time_ms = std::chrono::duration_cast<milliseconds>(wall).count();
  action.event.sequence = (scheduler_.epoch() << 32U) + ++events_;
  journal_.add(0, JobLogged{std::move(action.job), std::move(action.event)});
}

}  // namespace gradmill::coordinator
