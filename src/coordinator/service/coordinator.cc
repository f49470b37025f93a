#include "coordinator/service/coordinator.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/event_log.h"
#include "base/overload.h"
#include "coordinator/service/round_step.h"

namespace gradmill::coordinator {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kDurableWait{10};
// The clock wakes at least this often; when it is as late as kHeld, the process did not run.
constexpr std::chrono::milliseconds kPulse{500};
constexpr std::chrono::milliseconds kHeld{500};

/// What the clock on the wall shows when the steady one shows its beginning.
std::int64_t wall_ms_at_zero() {
  using std::chrono::milliseconds;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto steady = Clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(wall - steady).count();
}

SchedulerOptions scheduler_options(const CoordinatorOptions& options, const StoredState& state) {
  SchedulerOptions all = options.scheduler;
  all.epoch = state.epoch;
  all.scheduling = state.scheduling;
  all.wall_ms = wall_ms_at_zero();
  return all;
}

}  // namespace

Coordinator::Coordinator(const CoordinatorOptions& options,
                         std::unique_ptr<Policy> policy,
                         const std::vector<Address>& nodes,
                         NodeLinkFactory make_link,
                         JobStore& store,
                         StoredState state)
    : options_(options),
      make_link_(std::move(make_link)),
      store_(store),
      stored_(std::move(state)),
      coordinator_(stored_.coordinator),
      blobs_(options.blob_bytes_max),
      validator_(blobs_),
      models_(store, blobs_),
      journal_(
          store,
          [this](std::uint64_t ticket) {
            models_.publish();
            handle([&](TimePoint now) { return scheduler_.saved(ticket, now); });
          },
          [this](std::vector<Record>& records) {
            models_.complete(records, [this](const std::string& job) { return trained_job(job); });
          }),
      scheduler_(scheduler_options(options, stored_), std::move(policy)) {
  std::vector<StoredNode> members;
  members.reserve(nodes.size() + stored_.nodes.size());
  for (const Address& address : nodes) {
    members.push_back({address, NodeSource::kListed});
  }
  members.insert(members.end(), stored_.nodes.begin(), stored_.nodes.end());
  stored_.nodes = std::move(members);
  models_.restore(std::move(stored_.models), std::move(stored_.aliases));
}

// NOLINTNEXTLINE(bugprone-exception-escape): a throw from stop() would be a bug and ends us
Coordinator::~Coordinator() { stop(); }

void Coordinator::start() {
  journal_.start();
  restore();
  clock_ = std::thread([this] { keep_time(); });
  advancing_ = std::thread([this] {
    serve(to_advance_, to_advance_filled_, [this](const auto& round) { advance(round); });
  });
  validating_ = std::thread([this] {
    serve(to_validate_, to_validate_filled_, [this](const auto& round) { validate(round); });
  });
}

void Coordinator::restore() {
  std::vector<std::string> lost;
  for (const StoredJob& job : stored_.jobs) {
    if (has_ended(job.state)) {
      if (job.statistics) {
        job_recorders_.restore(job.job, *job.statistics);
      }
      continue;
    }
    if (pin_stored_blobs(job)) {
      pinned_.insert(job.job);
    } else {
      lost.push_back(job.job);
    }
  }
  StoredState state = std::exchange(stored_, {});
  handle(
      [&](TimePoint now) { return scheduler_.restore(std::move(state.jobs), state.nodes, now); });
  for (const std::string& job : lost) {
    handle([&](TimePoint now) {
      return scheduler_.end(
          job, JobState::kFailed, {"data_lost", "its data is no longer in the state folder"}, now);
    });
  }
}

bool Coordinator::pin_stored_blobs(const StoredJob& job) {
  const std::vector<BlobRef> refs = job.specification->blobs();
  for (const BlobRef& ref : refs) {
    if (blobs_.find(ref.digest)) {
      continue;
    }
    if (const std::optional<Blob> blob = store_.blob(ref)) {
      try {
        blobs_.put(*blob);
      } catch (const Error& error) {
        throw invalid_input("the jobs of the state folder do not fit in memory: " +
                            std::string(error.what()) + "; start it with a larger --cache-bytes");
      }
    }
  }
  return blobs_.pin(refs).empty();
}

void Coordinator::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) {
      return;
    }
    changed_.notify_all();
    ended_.notify_all();
    time_changed_.notify_all();
    to_advance_filled_.notify_all();
    to_validate_filled_.notify_all();
  }
  for (std::thread* thread : {&clock_, &advancing_, &validating_}) {
    if (thread->joinable()) {
      thread->join();
    }
  }
  journal_.stop();
  // Nobody adds to them any more: whoever could has seen that we stop.
  for (const auto& session : sessions_) {
    if (session != nullptr) {
      session->stop();
    }
  }
  for (const auto& session : retired_) {
    session->stop();
  }
}

template <class Event>
void Coordinator::handle(const Event& event) {
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    return;
  }
  decide(event);
#ifndef NDEBUG
  scheduler_.check_invariants();
#endif
  tell_of_change();
}

TimePoint Coordinator::time_now() {
  const TimePoint now = Clock::now();
  if (now - awake_at_ > kHeld) {
    // Held since some time after the last event: what nodes said then is not heard yet.
    scheduler_.excuse_silence(now - alive_at_, now);
    awake_at_ = now;
  }
  alive_at_ = now;
  return now;
}

void Coordinator::tell_of_change() {
  changed_.notify_all();
  const std::optional<TimePoint> wakeup = scheduler_.wakeup(Clock::now());
  if (wakeup && (!wakeup_ || *wakeup < *wakeup_)) {
    time_changed_.notify_all();
  }
}

void Coordinator::tell_of_node(NodeId id) {
  if (listener_ == nullptr) {
    return;
  }
  const Node& node = scheduler_.nodes().at(id);
  told_.resize(scheduler_.nodes().size(), NodeState::kFailed);
  told_[id] = node.state;
  if (node.state == NodeState::kAlive) {
    listener_->node_serves(id, node.address, node.hello.incarnation);
  } else if (node.state == NodeState::kSuspect) {
    listener_->node_silent(id);
  } else {
    listener_->node_gone(id);
  }
}

void Coordinator::tell_of_changed_nodes() {
  told_.resize(scheduler_.nodes().size(), NodeState::kFailed);
  for (NodeId id = 0; id < told_.size(); ++id) {
    if (scheduler_.nodes().at(id).state != told_[id]) {
      tell_of_node(id);
    }
  }
}

void Coordinator::await_durable(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t ticket = scheduler_.last_ticket();
  const bool is_durable = changed_.wait_for(
      lock, kDurableWait, [&] { return stopping_ || scheduler_.saved_ticket() >= ticket; });
  if (scheduler_.saved_ticket() < ticket) {
    check_store();
    throw Error(ErrorCode::kUnavailable,
                is_durable ? "the coordinator is stopping" : "the state folder is too slow");
  }
}

void Coordinator::check_store() {
  if (const std::string trouble = journal_.trouble(); !trouble.empty()) {
    throw Error(ErrorCode::kFailed, trouble);
  }
}

void Coordinator::heartbeat(NodeId node, const NodeBeat& beat) {
  handle([&](TimePoint now) {
    Actions actions = scheduler_.heartbeat(node, beat, now);
    tell_of_node(node);
    return actions;
  });
}

void Coordinator::heartbeat_missed(NodeId node, const std::string& why) {
  handle([&](TimePoint now) {
    Actions actions = scheduler_.heartbeat_missed(node, why, now);
    tell_of_node(node);
    return actions;
  });
}

void Coordinator::node_gone(NodeId node, const std::string& why, Duration took) {
  handle([&](TimePoint now) {
    Actions actions = scheduler_.node_gone(node, why, took, now);
    tell_of_node(node);
    return actions;
  });
}

void Coordinator::task_taken(const TaskId& task) {
  handle([&](TimePoint now) { return scheduler_.task_taken(task, now); });
}

void Coordinator::task_accepted(const TaskId& task) {
  handle([&](TimePoint now) { return scheduler_.task_accepted(task, now); });
}

void Coordinator::task_ended(NodeId node, const TaskId& task, TaskOutcome outcome) {
  handle([&](TimePoint now) {
    return std::visit(
        Overload{[&](TaskRefused&) { return scheduler_.task_refused(node, task, now); },
                 [&](TaskResult& result) { return task_done(node, task, std::move(result), now); },
                 [&](TaskFailed& failed) {
                   return scheduler_.task_failed(node, task, failed.reason, failed.why, now);
                 },
                 [&](TaskDiverged&) { return scheduler_.task_diverged(node, task, now); },
                 [&](TaskLost& lost) {
                   return scheduler_.task_lost(node, task, lost.reason, lost.fault, now);
                 }},
        outcome);
  });
}

std::vector<std::string> Coordinator::live_jobs() {
  const std::lock_guard lock(mutex_);
  return scheduler_.live_jobs();
}

std::optional<Blob> Coordinator::blob(const Digest& digest) { return blobs_.find(digest); }

const Job& Coordinator::job_at(const std::string& id) const {
  const Job* const job = scheduler_.find(id);
  if (job == nullptr) {
    throw Error(ErrorCode::kNotFound, "there is no job '" + id + "'");
  }
  return *job;
}

void Coordinator::keep_time() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const TimePoint now = Clock::now();
    wakeup_ = scheduler_.wakeup(now);
    awake_at_ = std::min(wakeup_.value_or(TimePoint::max()), now + kPulse);
    time_changed_.wait_until(lock, awake_at_);
    if (!stopping_) {
      const TimePoint woken = time_now();
      if (woken >= watch_again_) {
        for (const WatchNode& node : std::exchange(unwatched_, {})) {
          enact(node);
        }
      }
      enact(scheduler_.tick(woken));
      tell_of_changed_nodes();
      changed_.notify_all();
    }
    awake_at_ = TimePoint::max();
    stop_retired(lock);
  }
}

void Coordinator::stop_retired(std::unique_lock<std::mutex>& lock) {
  while (!retired_.empty()) {
    const std::unique_ptr<NodeSession> session = std::move(retired_.back());
    retired_.pop_back();
    lock.unlock();
    session->stop();
    lock.lock();
  }
}

template <class Work, class Do>
void Coordinator::serve(std::deque<Work>& inbox, std::condition_variable& filled, const Do& work) {
  std::unique_lock lock(mutex_);
  for (;;) {
    filled.wait(lock, [&] { return stopping_ || !inbox.empty(); });
    if (stopping_) {
      return;
    }
    const Work next = std::move(inbox.front());
    inbox.pop_front();
    lock.unlock();
    try {
      work(next);
    } catch (const std::exception& error) {
      const std::string why =
          "round " + std::to_string(next.round) + " could not be closed: " + message_for_peers();
      log_event({.level = LogLevel::kError,
                 .event = "round_failed",
                 .fields = {{"job", next.job}},
                 .message = "round " + std::to_string(next.round) + ": " + error.what()});
      handle([&](TimePoint now) {
        return std::is_same_v<Work, AdvanceRound>
                   ? scheduler_.step_failed(next.job, why, now)
                   : scheduler_.validation_failed(next.job, why, now);
      });
    }
    lock.lock();
  }
}

void Coordinator::advance(const AdvanceRound& round) {
  std::optional<RoundStep> step = make_step(round);
  handle([&](TimePoint now) {
    return step ? scheduler_.round_advanced(round.job, round.round, *std::move(step), now)
                : scheduler_.round_diverged(round.job, round.round, now);
  });
}

void Coordinator::validate(const ValidateRound& round) {
  const RoundValidation validation = validator_.validate(round);
  handle([&](TimePoint now) {
    return scheduler_.round_validated(round.job, round.round, validation, now);
  });
}

}  // namespace gradmill::coordinator
