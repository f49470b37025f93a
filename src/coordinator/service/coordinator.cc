#include "coordinator/service/coordinator.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/overload.h"
#include "coordinator/service/job_intake.h"
#include "coordinator/service/round_step.h"
#include "coordinator/service/status_report.h"
#include "protocol/specification_check.h"

namespace gradmill::coordinator {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Coordinator::Coordinator(const CoordinatorOptions& options,
                         std::unique_ptr<Policy> policy,
                         const std::vector<Address>& nodes,
                         const NodeLinkFactory& make_link)
    : blobs_(options.blob_bytes_max),
      validator_(blobs_),
      scheduler_(options.scheduler, std::move(policy)) {
  for (const Address& address : nodes) {
    const NodeId id = scheduler_.add_node(address);
    sessions_.push_back(
        std::make_unique<NodeSession>(id, address, make_link, static_cast<NodeEvents&>(*this)));
  }
}

// NOLINTNEXTLINE(bugprone-exception-escape): a throw from stop() would be a bug and ends us
Coordinator::~Coordinator() { stop(); }

void Coordinator::start() {
  clock_ = std::thread([this] { keep_time(); });
  advancing_ = std::thread([this] {
    serve(to_advance_, to_advance_filled_, [this](const auto& round) { advance(round); });
  });
  validating_ = std::thread([this] {
    serve(to_validate_, to_validate_filled_, [this](const auto& round) { validate(round); });
  });
  for (const auto& session : sessions_) {
    session->start();
  }
}

void Coordinator::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) {
      return;
    }
    for (const std::string& job : scheduler_.live_jobs()) {
      enact(scheduler_.end(
          job, JobState::kFailed, {"stopped", "the coordinator was stopped"}, Clock::now()));
    }
    changed_.notify_all();
    ended_.notify_all();
    time_changed_.notify_all();
    to_advance_filled_.notify_all();
    to_validate_filled_.notify_all();
  }
  for (const auto& session : sessions_) {
    session->stop();
  }
  for (std::thread* thread : {&clock_, &advancing_, &validating_}) {
    if (thread->joinable()) {
      thread->join();
    }
  }
}

std::vector<Digest> Coordinator::submit(const std::string& id,
                                        const JobSpecification& specification) {
  check_specification(specification);
  const auto shared = std::make_shared<const JobSpecification>(specification);
  const std::vector<BlobRef> blobs = shared->blobs();
  const auto submitted = [&] {
    const Job* const job = scheduler_.find(id);
    if (job != nullptr && job->digest != job_digest(*shared)) {
      throw invalid_input("job '" + id + "' exists with another specification; use another --id");
    }
    return job != nullptr;
  };
  {
    const std::lock_guard lock(mutex_);
    if (submitted()) {
      return {};
    }
  }
  std::vector<Digest> missing = blobs_.pin(blobs);
  if (!missing.empty()) {
    return missing;
  }
  try {
    JobSubmission submission = admit_job(id, shared, blobs_);
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      throw Error(ErrorCode::kUnavailable, "the coordinator is stopping");
    }
    if (submitted()) {
      blobs_.unpin(blobs);
      return {};
    }
    spdlog::info("job {}: {} rounds of {} shards", id, shared->rounds, shared->shards.size());
    enact(scheduler_.submit(std::move(submission), Clock::now()));
    tell_of_change();
  } catch (const Error&) {
    blobs_.unpin(blobs);
    throw;
  }
  return {};
}

JobStatus Coordinator::follow(const JobQuery& query, std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  if (query.version > 0 && query.gather.count() > 0) {
    ended_.wait_for(lock, std::min(query.gather, wait), [&] {
      return stopping_ || has_ended(job_at(query.job).state);
    });
  }
  changed_.wait_for(
      lock, wait, [&] { return stopping_ || job_at(query.job).version > query.version; });
  return report_status(scheduler_, job_at(query.job), query, Clock::now());
}

template <class Event>
void Coordinator::handle(const Event& event) {
  const std::lock_guard lock(mutex_);
  enact(event(Clock::now()));
#ifndef NDEBUG
  scheduler_.check_invariants();
#endif
  tell_of_change();
}

void Coordinator::tell_of_change() {
  changed_.notify_all();
  const std::optional<TimePoint> wakeup = scheduler_.wakeup(Clock::now());
  if (wakeup && (!wakeup_ || *wakeup < *wakeup_)) {
    time_changed_.notify_all();
  }
}

JobState Coordinator::cancel(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    static_cast<void>(job_at(id));
  }
  handle([&](TimePoint now) {
    return scheduler_.end(id, JobState::kCancelled, {"cancelled", "the job was cancelled"}, now);
  });
  const std::lock_guard lock(mutex_);
  return job_at(id).state;
}

Blob Coordinator::get_blob(const BlobRef& ref) {
  const std::optional<Blob> blob = blobs_.find(ref.digest);
  if (!blob || blob->ref != ref) {
    throw Error(ErrorCode::kNotFound,
                "the blob " + ref.digest.hex() + " is not (or no longer) here");
  }
  return *blob;
}

void Coordinator::node_up(NodeId node, const NodeHello& hello) {
  handle([&](TimePoint now) {
    Actions actions = scheduler_.node_up(node, hello, now);
    const Node& known = scheduler_.nodes().at(node);
    if (!known.alive) {
      spdlog::warn("node {} is left out: {}", known.address.text(), known.trouble);
    }
    return actions;
  });
}

void Coordinator::node_down(NodeId node, const std::string& why) {
  handle([&](TimePoint now) { return scheduler_.node_down(node, why, now); });
}

void Coordinator::task_accepted(const TaskId& task) {
  handle([&](TimePoint now) { return scheduler_.task_accepted(task, now); });
}

void Coordinator::task_ended(NodeId node, const TaskId& task, TaskOutcome outcome) {
  const auto log = [&](const char* what, const std::string& why) {
    spdlog::warn("job {} round {} shard {} offer {}: {} on {}: {}",
                 task.job,
                 task.round,
                 task.shard + 1,
                 task.offer,
                 what,
                 scheduler_.nodes().at(node).address.text(),
                 why);
  };
  handle([&](TimePoint now) {
    return std::visit(
        Overload{[&](TaskRefused&) { return scheduler_.task_refused(node, task, now); },
                 [&](TaskResult& result) {
                   return scheduler_.task_done(node, task, std::move(result), now);
                 },
                 [&](TaskFailed& failed) {
                   log("failed", failed.why);
                   return scheduler_.task_failed(node, task, failed.why, now);
                 },
                 [&](TaskDiverged&) {
                   log("diverged", "its loss is no longer finite");
                   return scheduler_.task_diverged(node, task, now);
                 },
                 [&](TaskLost& lost) {
                   if (lost.fault) {
                     log("lost", *lost.fault);
                   }
                   return scheduler_.task_lost(node, task, lost.fault, now);
                 }},
        outcome);
  });
}

std::vector<std::string> Coordinator::live_jobs() {
  const std::lock_guard lock(mutex_);
  return scheduler_.live_jobs();
}

std::optional<Blob> Coordinator::blob(const Digest& digest) { return blobs_.find(digest); }

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

void Coordinator::enact(const JobEnded& action) {
  ended_.notify_all();
  const Job& job = job_at(action.job);
  spdlog::info("job {}: {}: {}", job.id, name_of(job.state), job.end.message);
  blobs_.unpin(action.specification->blobs());
  try {
    blobs_.put(action.weights);
  } catch (const Error& error) {
    spdlog::warn("job {}: its weights are not kept: {}", job.id, error.what());
  }
}

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
    wakeup_ = scheduler_.wakeup(Clock::now());
    if (wakeup_) {
      time_changed_.wait_until(lock, *wakeup_);
    } else {
      time_changed_.wait(lock);
    }
    if (!stopping_) {
      enact(scheduler_.tick(Clock::now()));
      changed_.notify_all();
    }
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
      const JobEnd end = {
          "internal",
          "round " + std::to_string(next.round) + " could not be closed: " + error.what()};
      handle([&](TimePoint now) { return scheduler_.end(next.job, JobState::kFailed, end, now); });
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
  if (validation.error) {
    spdlog::info(
        "job {} round {}: validation error {:.6f}", round.job, round.round, *validation.error);
  }
  handle([&](TimePoint now) {
    return scheduler_.round_validated(round.job, round.round, validation, now);
  });
}

}  // namespace gradmill::coordinator
