#include "client/link/reconnecting_link.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace gradmill::client {
namespace {

constexpr std::chrono::milliseconds kPauseMin{100};
constexpr std::chrono::milliseconds kPauseMax{1000};

bool may_pass(const Error& error) {
  return error.code() == ErrorCode::kUnreachable || error.code() == ErrorCode::kUnavailable;
}

std::string seconds_text(std::chrono::milliseconds duration) {
  return duration.count() % 1000 == 0 ? std::to_string(duration.count() / 1000) + " s"
                                      : std::to_string(duration.count()) + " ms";
}

}  // namespace

ReconnectingLink::ReconnectingLink(CoordinatorLink& link,
                                   RetryTimer& timer,
                                   ReconnectOptions options)
    : link_(link), timer_(timer), options_(std::move(options)) {}

template <class Call>
auto ReconnectingLink::retried(const Call& call) {
  Outage outage;
  for (;;) {
    try {
      if constexpr (std::is_void_v<decltype(call())>) {
        call();
        answered(outage);
        return;
      } else {
        auto answer = call();
        answered(outage);
        return answer;
      }
    } catch (const Error& error) {
      if (!again(error, outage)) {
        throw;
      }
    }
  }
}

bool ReconnectingLink::again(const Error& error, Outage& outage) {
  if (!reached_ || interrupted_ || options_.timeout.count() == 0) {
    return false;
  }
  if (!may_pass(error)) {
    answered(outage);
    return false;
  }
  if (!outage.until) {
    outage = {.until = timer_.now() + options_.timeout, .pause = kPauseMin};
    const bool has_answered = error.code() == ErrorCode::kUnavailable;
    options_.tell((has_answered ? error.what() : std::string("the coordinator does not answer")) +
                  "; trying for " + seconds_text(options_.timeout) + " more");
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*outage.until - timer_.now());
  if (left.count() <= 0) {
    return false;
  }
  const auto pause = std::min(outage.pause, left);
  outage.pause = std::min(2 * outage.pause, kPauseMax);
  return timer_.pause(pause);
}

void ReconnectingLink::answered(const Outage& outage) {
  reached_ = true;
  if (outage.until) {
    options_.tell("the coordinator is back");
  }
}

std::vector<Digest> ReconnectingLink::submit(const std::string& id,
                                             const JobSpecification& specification,
                                             const JobTerms& terms) {
  return retried([&] { return link_.submit(id, specification, terms); });
}

JobStatus ReconnectingLink::follow(const JobQuery& query, std::chrono::milliseconds wait) {
  return retried([&] { return link_.follow(query, wait); });
}

JobControl ReconnectingLink::control(const std::string& job,
                                     JobCommand command,
                                     std::chrono::milliseconds wait) {
  return retried([&] { return link_.control(job, command, wait); });
}

std::vector<JobSummary> ReconnectingLink::jobs(std::uint32_t limit) {
  return retried([&] { return link_.jobs(limit); });
}

JobDetails ReconnectingLink::job(const std::string& job) {
  return retried([&] { return link_.job(job); });
}

JobExplanation ReconnectingLink::explain(const std::string& job) {
  return retried([&] { return link_.explain(job); });
}

void ReconnectingLink::set_scheduling(SchedulingMode mode) {
  retried([&] { link_.set_scheduling(mode); });
}

SchedulingMode ReconnectingLink::scheduling() {
  return retried([&] { return link_.scheduling(); });
}

JobLog ReconnectingLink::logs(const std::string& job,
                              std::uint64_t after,
                              std::chrono::milliseconds wait) {
  return retried([&] { return link_.logs(job, after, wait); });
}

JobPredictions ReconnectingLink::predictions(const std::string& job,
                                             std::uint64_t first_row,
                                             std::uint32_t rows_max,
                                             std::chrono::milliseconds wait) {
  return retried([&] { return link_.predictions(job, first_row, rows_max, wait); });
}

void ReconnectingLink::set_batch_rows(const std::string& job, std::uint32_t batch_rows) {
  retried([&] { link_.set_batch_rows(job, batch_rows); });
}

JobStatistics ReconnectingLink::job_statistics(const std::string& job) {
  return retried([&] { return link_.job_statistics(job); });
}

void ReconnectingLink::remove(const std::string& job) {
  bool repeated = false;
  retried([&] {
    try {
      link_.remove(job);
    } catch (const Error& error) {
      // The answer to an earlier try was lost, and that one did it.
      if (!repeated || error.code() != ErrorCode::kNotFound) {
        repeated = true;
        throw;
      }
    }
  });
}

Garbage ReconnectingLink::collect_garbage(bool dry_run, const std::optional<Retention>& rule) {
  return retried([&] { return link_.collect_garbage(dry_run, rule); });
}

std::vector<ModelSummary> ReconnectingLink::models(const std::string& model) {
  return retried([&] { return link_.models(model); });
}

ModelDetails ReconnectingLink::model(const std::string& reference) {
  return retried([&] { return link_.model(reference); });
}

ModelStatistics ReconnectingLink::model_statistics(const std::string& reference) {
  return retried([&] { return link_.model_statistics(reference); });
}

std::uint32_t ReconnectingLink::import_model(const std::string& model, const BlobRef& file) {
  return retried([&] { return link_.import_model(model, file); });
}

std::optional<AliasMove> ReconnectingLink::promote_model(const std::string& reference,
                                                         const std::string& alias,
                                                         bool force) {
  return retried([&] { return link_.promote_model(reference, alias, force); });
}

AliasMove ReconnectingLink::roll_back_model(const std::string& model,
                                            const std::string& alias,
                                            std::uint32_t from) {
  return retried([&] { return link_.roll_back_model(model, alias, from); });
}

void ReconnectingLink::delete_model(const std::string& model, std::uint32_t version) {
  retried([&] {
    link_.delete_model(model, version);
    return true;
  });
}

std::vector<NodeStatus> ReconnectingLink::nodes() {
  return retried([&] { return link_.nodes(); });
}

NodeStatus ReconnectingLink::add_node(const Address& node) {
  return retried([&] { return link_.add_node(node); });
}

NodeStatus ReconnectingLink::remove_node(const Address& node, std::chrono::milliseconds wait) {
  return retried([&] { return link_.remove_node(node, wait); });
}

std::vector<FaultReport> ReconnectingLink::set_faults(const FaultTarget& target,
                                                      const FaultSettings& faults) {
  return retried([&] { return link_.set_faults(target, faults); });
}

std::vector<FaultReport> ReconnectingLink::faults() {
  return retried([&] { return link_.faults(); });
}

ServedModel ReconnectingLink::served_model(const std::string& model) {
  return retried([&] { return link_.served_model(model); });
}

ModelPredictions ReconnectingLink::predict(const std::string& model, const RawRows& rows) {
  return retried([&] { return link_.predict(model, rows); });
}

void ReconnectingLink::put_blob(const Blob& blob) {
  retried([&] { link_.put_blob(blob); });
}

Blob ReconnectingLink::get_blob(const BlobRef& blob) {
  return retried([&] { return link_.get_blob(blob); });
}

void ReconnectingLink::interrupt() {
  interrupted_ = true;
  timer_.interrupt();
  link_.interrupt();
}

}  // namespace gradmill::client
