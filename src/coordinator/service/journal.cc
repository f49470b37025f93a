#include "coordinator/service/journal.h"

#include <algorithm>
#include <exception>
#include <future>
#include <memory>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/event_log.h"

namespace gradmill::coordinator {
namespace {

// Together with the time that a commit takes this stays below what a crash may cost.
constexpr std::chrono::milliseconds kBetweenRounds{40};
constexpr std::chrono::milliseconds kBetweenEvents{1000};
constexpr std::chrono::milliseconds kRetry{500};

}  // namespace

Journal::Journal(JobStore& store,
                 std::function<void(std::uint64_t)> saved,
                 std::function<void(std::vector<Record>&)> complete)
    : store_(store), saved_(std::move(saved)), complete_(std::move(complete)) {}

Journal::~Journal() { stop(); }

void Journal::start() {
  writer_ = std::thread([this] { write(); });
}

void Journal::add(std::uint64_t ticket, Record record) {
  const std::lock_guard lock(mutex_);
  const bool is_round = std::holds_alternative<RoundFinished>(record);
  has_rounds_ = has_rounds_ || is_round;
  urgent_ = urgent_ || (!is_round && !std::holds_alternative<JobLogged>(record));
  ticket_ = std::max(ticket_, ticket);
  records_.push_back(std::move(record));
  filled_.notify_one();
}

void Journal::run(const std::function<void()>& work) {
  auto task = std::make_shared<std::packaged_task<void()>>(work);
  std::future<void> done = task->get_future();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      throw Error(ErrorCode::kUnavailable, "the coordinator is stopping");
    }
    work_.emplace_back([task] { (*task)(); });
    filled_.notify_one();
  }
  done.get();
}

void Journal::flush() {
  {
    const std::lock_guard lock(mutex_);
    urgent_ = true;
  }
  run([] {});
}

std::string Journal::trouble() {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Journal::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    filled_.notify_one();
  }
  if (writer_.joinable()) {
    writer_.join();
  }
}

Journal::Clock::time_point Journal::due() const {
  if (records_.empty()) {
    return Clock::time_point::max();
  }
  const auto pause = has_rounds_ ? kBetweenRounds : kBetweenEvents;
  return std::max(not_before_, urgent_ ? Clock::time_point{} : committed_ + pause);
}

void Journal::write() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!work_.empty() && due() <= Clock::now()) {
      commit(lock);  // Work comes after what was added before it.
    }
    while (!work_.empty()) {
      const std::function<void()> work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
    if (stopping_ || due() <= Clock::now()) {
      commit(lock);
    }
    if (stopping_ && work_.empty()) {
      return;
    }
    if (stopping_) {
      continue;
    }
    const auto is_news = [this] { return stopping_ || !work_.empty() || due() <= Clock::now(); };
    if (records_.empty()) {
      filled_.wait(lock, [this] { return stopping_ || !work_.empty() || !records_.empty(); });
    } else {
      filled_.wait_until(lock, due(), is_news);
    }
  }
}

void Journal::commit(std::unique_lock<std::mutex>& lock) {
  if (records_.empty()) {
    return;
  }
  std::vector<Record> records = std::exchange(records_, {});
  const std::uint64_t ticket = ticket_;
  const bool was_urgent = std::exchange(urgent_, false);
  const bool had_rounds = std::exchange(has_rounds_, false);
  committed_ = Clock::now();
  lock.unlock();
  std::string failure;
  std::string log_message;
  try {
    if (complete_) {
      complete_(records);
    }
    store_.commit(records);
  } catch (const Error& error) {
    failure = error.what();
    log_message = error.log_message();
  } catch (const std::exception& error) {
    failure = "the state folder: " + message_for_peers();
    log_message = error.what();
  }
  lock.lock();
  if (failure.empty()) {
    if (!std::exchange(trouble_, {}).empty()) {
      log_event({.event = "store_recovered", .message = "records are durable again"});
    }
    lock.unlock();
    saved_(ticket);
    lock.lock();
    return;
  }
  records_.insert(records_.begin(), records.begin(), records.end());
  urgent_ = urgent_ || was_urgent;
  has_rounds_ = has_rounds_ || had_rounds;
  note_failure(failure, log_message);
}

void Journal::note_failure(const std::string& why, const std::string& log_message) {
  if (why != trouble_) {
    log_event({.level = LogLevel::kError,
               .event = "store_failed",
               .message = log_message + "; jobs wait"});
  }
  trouble_ = why;
  not_before_ = Clock::now() + kRetry;
}

}  // namespace gradmill::coordinator
