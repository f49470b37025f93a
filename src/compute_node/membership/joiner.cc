#include "compute_node/membership/joiner.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/event_log.h"

namespace gradmill::node {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Joiner::Joiner(const std::vector<Address>& coordinators,
               Announcement announcement,
               const JoinLinkFactory& make_link,
               LastHeard last_heard)
    : announcement_(std::move(announcement)),
      last_heard_(std::move(last_heard)),
      plan_(coordinators, announcement_.address) {
  for (const Address& coordinator : coordinators) {
    links_.push_back(make_link(coordinator));
  }
  thread_ = std::thread([this] { run(); });
}

Joiner::~Joiner() {
  static_cast<void>(stop(std::chrono::milliseconds(0)));
  thread_.join();
}

bool Joiner::stop(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  for (const auto& link : links_) {
    link->interrupt();
  }
  return changed_.wait_for(lock, wait, [this] { return ended_; });
}

void Joiner::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const JoinPlan::Step step = plan_.next(Clock::now(), last_heard_(plan_.acknowledged_by()));
    if (step.news) {
      log_event(*step.news);
    }
    if (step.announce) {
      announce(lock, *step.announce);
    } else {
      changed_.wait_until(lock, step.until, [this] { return stopping_; });
    }
  }
  ended_ = true;
  changed_.notify_all();
}

void Joiner::announce(std::unique_lock<std::mutex>& lock, std::size_t coordinator) {
  std::optional<JoinAnswer> answer;
  std::optional<Error> error;
  lock.unlock();
  try {
    answer = links_[coordinator]->join(announcement_);
  } catch (const Error& caught) {
    error = caught;
  } catch (const std::exception& caught) {
    error = Error(ErrorCode::kUnavailable, caught.what());
  }
  lock.lock();
  if (stopping_) {
    return;
  }
  const Clock::time_point now = Clock::now();
  const std::optional<LogEvent> news =
      answer ? plan_.answered(*answer, now) : plan_.failed(*error, now);
  if (news) {
    log_event(*news);
  }
}

}  // namespace gradmill::node
