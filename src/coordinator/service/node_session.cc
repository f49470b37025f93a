#include "coordinator/service/node_session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/error.h"

namespace gradmill::coordinator {
namespace {

constexpr std::chrono::milliseconds kBeat{1000};
// A node that does not answer is asked again this soon.
constexpr std::chrono::milliseconds kRetry{250};
// A node may ask for no more slots than this: each is a thread here.
constexpr std::uint32_t kSlotsMax = 64;

}  // namespace

NodeSession::NodeSession(NodeId node,
                         Address address,
                         NodeLinkFactory make_link,
                         NodeEvents& events)
    : node_(node),
      address_(std::move(address)),
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

void NodeSession::watch() {
  std::string incarnation;  // empty while the node is down
  std::string trouble;
  for (;;) {
    std::string why;
    try {
      const std::vector<std::string> live = events_.live_jobs();
      const Heartbeat beat = heart_->heartbeat(live);
      if (beat.leaving) {
        why = "is leaving";
      } else if (beat.hello.incarnation != incarnation) {
        sent_.clear();
        open_slots(beat.hello.slots);
        incarnation = beat.hello.incarnation;
        trouble.clear();
        spdlog::info("node {} is up", address_.text());
        events_.node_up(node_, beat.hello);
      }
    } catch (const Error& error) {
      why = error.what();
    }
    std::unique_lock lock(mutex_);
    if (stopping_) {
      return;
    }
    if (!why.empty() && (!incarnation.empty() || why != trouble)) {
      lock.unlock();
      spdlog::warn("node {} is down: {}", address_.text(), why);
      events_.node_down(node_, why);
      lock.lock();
      incarnation.clear();
      trouble = why;
    }
    watched_.wait_for(
        lock, incarnation.empty() ? kRetry : kBeat, [this] { return stopping_ || check_now_; });
    check_now_ = false;
  }
}

void NodeSession::open_slots(std::uint32_t slots) {
  const std::lock_guard lock(mutex_);
  while (!stopping_ && slots_.size() < std::min(slots, kSlotsMax)) {
    Slot& slot = slots_.emplace_back();
    slot.link = make_link_(address_);
    slot.thread = std::thread([this, link = slot.link.get()] { work(*link); });
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
        .accepted = [&] { events_.task_accepted(task); },
        .wanted =
            [&] {
              const std::lock_guard lock(mutex_);
              return wanted_.contains(task);
            },
        .blob = [&](const Digest& digest) { return events_.blob(digest); },
    };
    TaskOutcome outcome = TaskLost{};
    if (hooks.wanted()) {
      outcome = run_task(link, *offer, sent_, hooks);
    }
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        return;
      }
      wanted_.erase(task);
      const auto* const lost = std::get_if<TaskLost>(&outcome);
      if (lost != nullptr && lost->fault) {
        check_now_ = true;
        watched_.notify_all();
      }
    }
    events_.task_ended(node_, task, std::move(outcome));
  }
}

}  // namespace gradmill::coordinator
