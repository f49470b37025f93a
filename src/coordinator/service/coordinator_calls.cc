// What clients and joining nodes ask of the coordinator.
#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <set>
#include <utility>

#include "base/error.h"
#include "coordinator/service/coordinator.h"
#include "coordinator/service/job_intake.h"
#include "coordinator/service/status_report.h"
#include "protocol/model_name.h"
#include "protocol/specification_check.h"

namespace gradmill::coordinator {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kEventsMax = 1000;
constexpr std::size_t kJobsMax = 10'000;
constexpr std::chrono::milliseconds kFirstBeatWait{1500};
// A log is not looked at more often than this.
constexpr std::chrono::milliseconds kLogPause{50};

void check_terms(const JobTerms& terms) {
  if (!terms.model.empty()) {
    check_model_name(terms.model);
  }
  if (!is_valid(terms.share)) {
    throw invalid_input("a priority is from -" + std::to_string(kPriorityMax) + " to " +
                        std::to_string(kPriorityMax) + ", a weight from 1 to " +
                        std::to_string(kWeightMax));
  }
}

}  // namespace

std::vector<Digest> Coordinator::submit(const std::string& id,
                                        const JobSpecification& specification,
                                        const JobTerms& terms) {
  check_specification(specification);
  check_terms(terms);
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
    std::unique_lock lock(mutex_);
    if (submitted()) {
      await_durable(lock);
      return {};
    }
  }
  check_size(blobs);
  {
    const std::lock_guard lock(mutex_);
    check_room_for_a_job();
  }
  check_store();
  store_.check_room(blobs);
  std::vector<Digest> missing = blobs_.pin(blobs);
  if (!missing.empty()) {
    return missing;
  }
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  try {
    JobSubmission submission = admit(id, shared);
    submission.model = terms.model;
    submission.share = terms.share;
    lock.lock();
    if (stopping_) {
      throw Error(ErrorCode::kUnavailable, "the coordinator is stopping");
    }
    if (submitted()) {
      blobs_.unpin(blobs);
    } else {
      check_room_for_a_job();
      pinned_.insert(id);
      decide([&](TimePoint now) { return scheduler_.submit(std::move(submission), now); });
      tell_of_change();
    }
  } catch (const std::exception&) {
    blobs_.unpin(blobs);
    throw;
  }
  await_durable(lock);
  return {};
}

JobSubmission Coordinator::admit(const std::string& id,
                                 const std::shared_ptr<const JobSpecification>& specification) {
  if (!specification->prediction) {
    return admit_job(id, specification, blobs_);
  }
  const BlobRef& ref = specification->prediction->model.file;
  const std::optional<Blob> file = models_.file(ref);
  if (!file) {
    throw Error(ErrorCode::kNotFound,
                "the model of the job, " + specification->prediction->model.model + '@' +
                    std::to_string(specification->prediction->model.version) +
                    ", is not (or no longer) here");
  }
  return admit_prediction(id, specification, *file, blobs_);
}

void Coordinator::check_size(const std::vector<BlobRef>& blobs) const {
  std::uint64_t bytes = 0;
  for (const BlobRef& blob : blobs) {
    bytes += std::min(blob.bytes, UINT64_MAX - bytes);
  }
  if (bytes > options_.blob_bytes_max) {
    throw invalid_input("the shards and initial weights of the job have " + std::to_string(bytes) +
                        " bytes; the coordinator keeps at most " +
                        std::to_string(options_.blob_bytes_max) + " (its --cache-bytes)");
  }
}

void Coordinator::check_room_for_a_job() const {
  if (scheduler_.unended_jobs() >= options_.jobs_max) {
    throw Error(ErrorCode::kUnavailable,
                "the coordinator's --max-jobs is reached: jobs that have not ended: " +
                    std::to_string(options_.jobs_max));
  }
}

JobStatus Coordinator::follow(const JobQuery& query, std::chrono::milliseconds wait) {
  JobStatus status;
  std::uint32_t stored = 0;
  {
    std::unique_lock lock(mutex_);
    if (query.version > 0 && query.gather.count() > 0) {
      ended_.wait_for(lock, std::min(query.gather, wait), [&] {
        return stopping_ || has_ended(job_at(query.job).state);
      });
    }
    changed_.wait_for(
        lock, wait, [&] { return stopping_ || job_at(query.job).version > query.version; });
    if (stopping_) {
      throw Error(ErrorCode::kUnavailable, "the coordinator is stopping");
    }
    const Job& job = job_at(query.job);
    status = report_status(scheduler_, job, query, Clock::now());
    status.notice = notice_of(job);
    status.registered = registered(job);
    stored = query.with_tasks || job.finished.empty() ? reports_due(job, query) : 0;
  }
  if (stored > 0) {
    status.finished = store_.rounds(query.job, query.rounds_known, stored);
  }
  for (RoundReport& report : status.finished) {
    report.tasks.resize(query.with_tasks ? report.tasks.size() : 0);
  }
  return status;
}

std::string Coordinator::notice_of(const Job& job) {
  const std::string trouble = has_ended(job.state) ? "" : journal_.trouble();
  return trouble.empty() ? scheduler_.hindrance(job, Clock::now()) : trouble;
}

JobControl Coordinator::control(const std::string& id,
                                JobCommand command,
                                std::chrono::milliseconds wait) {
  std::unique_lock lock = lock_running();
  if (command != JobCommand::kCancel && has_ended(job_at(id).state)) {
    throw invalid_input("job '" + id + "' has ended (" + std::string(name_of(job_at(id).state)) +
                        ")");
  }
  decide([&](TimePoint now) { return scheduler_.control(id, command, now); });
  tell_of_change();
  changed_.wait_for(lock, wait, [&] { return stopping_ || !job_at(id).move; });
  const Job& job = job_at(id);
  return {job.state, asked_of(job)};
}

std::vector<JobSummary> Coordinator::jobs(std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  const std::vector<std::string>& all = scheduler_.jobs();
  const std::size_t count = std::min({all.size(), limit == 0 ? kJobsMax : limit, kJobsMax});
  std::vector<JobSummary> summaries;
  for (auto id = all.rbegin(); summaries.size() < count; ++id) {
    summaries.push_back(summarize(job_at(*id)));
    summaries.back().scheduling = scheduler_.scheduling();
    summaries.back().registered = registered(job_at(*id));
    if (!has_ended(summaries.back().state)) {
      summaries.back().message = notice_of(job_at(*id));
    }
  }
  return summaries;
}

JobDetails Coordinator::job(const std::string& id) {
  const std::lock_guard lock(mutex_);
  JobDetails details = report_details(scheduler_, job_at(id), Clock::now());
  details.status.notice = notice_of(job_at(id));
  details.status.registered = registered(job_at(id));
  return details;
}

JobLog Coordinator::logs(const std::string& id,
                         std::uint64_t after,
                         std::chrono::milliseconds wait) {
  const Clock::time_point end = Clock::now() + wait;
  JobLog log;
  for (;;) {
    std::uint64_t version = 0;
    {
      const std::lock_guard lock(mutex_);
      version = job_at(id).version;
      log.ended = has_ended(job_at(id).state);
    }
    if (log.ended) {
      journal_.flush();
    }
    log.events = store_.events(id, after, kEventsMax);
    if (!log.events.empty() || log.ended || Clock::now() >= end) {
      log.ended = log.ended && log.events.size() < kEventsMax;
      return log;
    }
    std::unique_lock lock(mutex_);
    ended_.wait_until(lock, std::min(end, Clock::now() + kLogPause), [&] { return stopping_; });
    changed_.wait_until(lock, end, [&] { return stopping_ || job_at(id).version > version; });
    if (stopping_) {
      throw Error(ErrorCode::kUnavailable, "the coordinator is stopping");
    }
  }
}

void Coordinator::remove(const std::string& id) {
  {
    const std::unique_lock lock = lock_running();
    if (!has_ended(job_at(id).state)) {
      throw invalid_input("job '" + id + "' is " + std::string(name_of(job_at(id).state)) +
                          "; cancel it first");
    }
    if (!scheduler_.is_forgettable(job_at(id))) {
      throw Error(ErrorCode::kUnavailable, "a node has yet to let go of job '" + id + "'");
    }
  }
  journal_.run([&] {
    remove_stored(id);
    if (!journal_.trouble().empty()) {
      static_cast<void>(store_.collect({}, false));  // Its data, too: somebody waits for the room.
    }
  });
}

bool Coordinator::remove_stored(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    const Job* const job = scheduler_.find(id);
    if (job == nullptr || !has_ended(job->state) || !scheduler_.is_forgettable(*job)) {
      return false;
    }
  }
  store_.commit(std::array<Record, 1>{JobRemoved{id}});
  const std::lock_guard lock(mutex_);
  if (!stopping_) {
    decide([&](TimePoint now) { return scheduler_.remove(id, now); });
    job_recorders_.forget(id);
    tell_of_change();
  }
  return true;
}

Garbage Coordinator::collect_garbage(bool dry_run, const std::optional<Retention>& rule) {
  std::vector<std::string> old;
  {
    const std::unique_lock lock = lock_running();
    old = expired_jobs(scheduler_, rule.value_or(options_.scheduler.retention), Clock::now());
  }
  Garbage garbage;
  journal_.run([&] {
    if (dry_run) {
      garbage = store_.collect(old, true);
      return;
    }
    garbage = store_.collect({}, false);  // What needs no room of its own makes some.
    std::erase_if(old, [&](const std::string& id) { return !remove_stored(id); });
    Garbage of_jobs = store_.collect(old, false);
    std::move(of_jobs.files.begin(), of_jobs.files.end(), std::back_inserter(garbage.files));
    garbage.bytes += of_jobs.bytes;
  });
  garbage.jobs = old;
  return garbage;
}

JoinAnswer Coordinator::join(const Address& address, const std::string& incarnation) {
  std::unique_lock lock = lock_running();
  check_room_for(address);
  decide([&](TimePoint now) { return scheduler_.announce_node(address, incarnation, now); });
  tell_of_change();
  try {
    await_durable(lock);
  } catch (const Error& error) {
    throw Error(ErrorCode::kUnavailable, error.what());  // The node is to try again.
  }
  const bool removed = scheduler_.nodes().at(node_at(address)).removed;
  return {.accepted = !removed,
          .message = removed ? "it was taken out by hand; client node join " + address.text() +
                                   " brings it back"
                             : "",
          .coordinator = coordinator_};
}

NodeStatus Coordinator::add_node(const Address& address) {
  check_answers(address);
  std::unique_lock lock = lock_running();
  check_room_for(address);
  decide([&](TimePoint now) { return scheduler_.add_node(address, NodeSource::kAdded, now); });
  tell_of_change();
  await_durable(lock);
  const NodeId node = node_at(address);
  // Its own heartbeats take over from here; what is shown should know of the first one.
  changed_.wait_for(
      lock, kFirstBeatWait, [&] { return stopping_ || scheduler_.nodes().at(node).heard_at; });
  return status_of(node);
}

void Coordinator::check_answers(const Address& address) {
  try {
    static_cast<void>(make_link_(address)->heartbeat(live_jobs()));
  } catch (const ConnectionRefused& refused) {
    throw invalid_input(address.text() + ": " + refused.what() + "; start the node first");
  } catch (const Error& error) {
    throw invalid_input(address.text() + ": " + error.what() +
                        "; give HOST:PORT of a compute node that runs");
  }
}

NodeStatus Coordinator::remove_node(const Address& address, std::chrono::milliseconds wait) {
  std::unique_lock lock = lock_running();
  const NodeId node = node_at(address);
  decide([&](TimePoint now) { return scheduler_.remove_node(node, now); });
  tell_of_node(node);
  tell_of_change();
  await_durable(lock);
  changed_.wait_for(
      lock, wait, [&] { return stopping_ || scheduler_.nodes().at(node).offers.empty(); });
  return status_of(node);
}

std::vector<NodeStatus> Coordinator::nodes() {
  const std::lock_guard lock(mutex_);
  std::vector<NodeStatus> all;
  for (NodeId node = 0; node < scheduler_.nodes().size(); ++node) {
    if (!scheduler_.nodes().at(node).forgotten) {
      all.push_back(status_of(node));
    }
  }
  return all;
}

std::unique_lock<std::mutex> Coordinator::lock_running() const {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    throw Error(ErrorCode::kUnavailable, "the coordinator is stopping");
  }
  return lock;
}

void Coordinator::check_room_for(const Address& address) const {
  if (!scheduler_.nodes().find(address) && scheduler_.nodes().members() >= kMembersMax) {
    throw Error(ErrorCode::kUnavailable,
                "there are " + std::to_string(kMembersMax) + " nodes already");
  }
}

NodeId Coordinator::node_at(const Address& address) const {
  const std::optional<NodeId> node = scheduler_.nodes().find(address);
  if (!node) {
    throw Error(ErrorCode::kNotFound,
                "there is no node " + address.text() + "; see client node list");
  }
  return *node;
}

NodeStatus Coordinator::status_of(NodeId node) const {
  NodeStatus status = scheduler_.nodes().status(node, Clock::now());
  status.member_since_ms = scheduler_.wall_ms(scheduler_.nodes().at(node).member_since);
  status.doing = tasks_of(node);
  if (sessions_[node] == nullptr) {
    return status;  // It has just been forgotten.
  }
  const LinkBytes bytes = sessions_[node]->bytes();
  status.bytes_sent = bytes.sent;
  status.bytes_received = bytes.received;
  return status;
}

Blob Coordinator::get_blob(const BlobRef& ref) {
  if (const std::optional<Blob> blob = blobs_.find(ref.digest); blob && blob->ref == ref) {
    return *blob;
  }
  if (std::optional<Blob> file = models_.file(ref)) {
    return *std::move(file);
  }
  std::string owner;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& id : scheduler_.jobs()) {
      owner = job_at(id).durable.result().ref == ref ? id : owner;
    }
  }
  const std::optional<Blob> weights = owner.empty() ? std::nullopt : store_.weights(owner);
  if (!weights || weights->ref != ref) {
    throw Error(ErrorCode::kNotFound,
                "the blob " + ref.digest.hex() + " is not (or no longer) here");
  }
  return *weights;
}

}  // namespace gradmill::coordinator
