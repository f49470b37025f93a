#include "coordinator/service/node_session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

// A node that does not answer is asked again this soon, or after its interval.
constexpr std::chrono::milliseconds kRetry{250};
// A node may ask for no more slots than this: each is a thread here.
constexpr std::uint32_t kSlotsMax = 64;

}  // namespace

NodeSession::NodeSession(NodeId node,
                         Address address,
                         std::chrono::milliseconds interval,
                         NodeLinkFactory make_link,
                         NodeEvents& events)
    : node_(node),
      address_(std::move(address)),
      interval_(interval),
      make_link_(std::move(make_link)),
      events_(events),
      heart_(make_link_(address_)) {}

NodeSession::~NodeSession() { stop(); }

void NodeSession::start() {
  watcher_ = std::thread([this] { watch(); });
}

void NodeSession::offer(TaskOffer offer) {
  const std::lock_guard lock(mutex_);
  wanted_.insert(offer.id);
  offers_.push_back(std::move(offer));
  offered_.notify_one();
}

void NodeSession::cancel(const TaskId& task) {
  const std::lock_guard lock(mutex_);
  wanted_.erase(task);
}

void NodeSession::stop() {
  std::deque<Slot> slots;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wanted_.clear();
    offers_.clear();
    offered_.notify_all();
    watched_.notify_all();
  }
  heart_->interrupt();
  if (watcher_.joinable()) {
    watcher_.join();
  }
  slots.swap(slots_);  // The watcher alone added to it.
  for (Slot& slot : slots) {
    slot.link->interrupt();
  }
  for (Slot& slot : slots) {
    slot.thread.join();
  }
}

LinkBytes NodeSession::bytes() {
  LinkBytes sum = heart_->bytes();
  const std::lock_guard lock(mutex_);
  for (const Slot& slot : slots_) {
    const LinkBytes one = slot.link->bytes();
    sum.sent += one.sent;
    sum.received += one.received;
  }
  return sum;
}

void NodeSession::watch() {
  for (;;) {
    const bool answered = beat();
    std::unique_lock lock(mutex_);
    if (stopping_) {
      return;
    }
    watched_.wait_for(lock, answered ? interval_ : std::min(interval_, kRetry), [this] {
      return stopping_ || check_now_;
    });
    check_now_ = false;
  }
}

bool NodeSession::beat() {
  const std::vector<std::string> live = events_.live_jobs();
  const auto asked_at = std::chrono::steady_clock::now();
  const auto took = [&] { return std::chrono::steady_clock::now() - asked_at; };
  try {
    NodeBeat beat = heart_->heartbeat(live);
    beat.took = took();
    if (beat.hello.incarnation != incarnation_) {
      sent_.clear();
      open_slots(beat.hello.slots);
      incarnation_ = beat.hello.incarnation;
    }
    events_.heartbeat(node_, beat);
    return true;
  } catch (const ConnectionRefused& refused) {
    events_.node_gone(node_, refused.what(), took());
  } catch (const Error& error) {
    events_.heartbeat_missed(node_, error.what());
  } catch (const std::exception&) {  // No thread or no memory left here, which may pass.
    events_.heartbeat_missed(node_, "the coordinator cannot ask it: " + message_for_peers());
  }
  return false;
}

void NodeSession::open_slots(std::uint32_t slots) {
  const std::lock_guard lock(mutex_);
  while (!stopping_ && slots_.size() < std::clamp(slots, 1U, kSlotsMax)) {
    Slot& slot = slots_.emplace_back();
    try {
      slot.link = make_link_(address_);
      slot.thread = std::thread([this, link = slot.link.get()] { work(*link); });
    } catch (...) {
      slots_.pop_back();
      throw;
    }
  }
}

std::optional<TaskOffer> NodeSession::next_offer() {
  std::unique_lock lock(mutex_);
  offered_.wait(lock, [this] { return stopping_ || !offers_.empty(); });
  if (stopping_) {
    return std::nullopt;
  }
  TaskOffer offer = std::move(offers_.front());
  offers_.pop_front();
  return offer;
}

void NodeSession::work(NodeLink& link) {
  while (const std::optional<TaskOffer> offer = next_offer()) {
    const TaskId& task = offer->id;
    const TaskRunHooks hooks = {
        .taken = [&] { events_.task_taken(task); },
        .accepted = [&] { events_.task_accepted(task); },
        .wanted =
            [&] {
              const std::lock_guard lock(mutex_);
              return wanted_.contains(task);
            },
        .blob = [&](const Digest& digest) { return events_.blob(digest); },
    };
    TaskOutcome outcome = TaskLost{LossReason::kCancelled, std::nullopt};
    if (hooks.wanted()) {
      outcome = run_task(link, *offer, sent_, hooks);
    }
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        return;
      }
      const bool was_wanted = wanted_.erase(task) > 0;
      const auto* const lost = std::get_if<TaskLost>(&outcome);
      if (lost != nullptr && (lost->fault || was_wanted)) {  // It may have failed, or be leaving.
        check_now_ = true;
        watched_.notify_all();
      }
    }
    events_.task_ended(node_, task, std::move(outcome));
  }
}

}  // namespace gradmill::coordinator
