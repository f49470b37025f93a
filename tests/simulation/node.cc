#include "simulation/node.h"

#include <algorithm>
#include <chrono>

#include "ml/kernel/kernels.h"

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;
using coordinator::TaskOffer;

constexpr Duration kPollMax = 1s;
constexpr int kSlowness = 30;
constexpr unsigned kBeatsUnlistedMax = 2;

Blob result_of(const TaskOffer& offer) {
  if (!offer.rows) {
    return delta_of(offer.job_digest, offer.id.round, offer.id.shard, offer.weights);
  }
  const std::vector<BlobRef>& shards = offer.job->shards;
  const auto shard = std::find(shards.begin(), shards.end(), offer.shard);
  return predictions_of(
      offer.job_digest, static_cast<std::uint32_t>(shard - shards.begin()), *offer.rows);
}

/// A valid result with other bits.
Blob spoiled(const Blob& result) {
  std::string bytes = *result.bytes;
  bytes.front() = static_cast<char>(bytes.front() ^ 1);
  return named(std::move(bytes));
}

}  // namespace

void Node::crash() {
  up_ = false;
  for (const Key& key : said_begun_) {
    ++deaths_[key];
  }
  said_begun_.clear();
  paused_until_ = {};
  works_.clear();
  turned_away_.clear();
  shards_.clear();
}

void Node::start() {
  up_ = true;
  leaving_ = false;
  epoch_ = 0;
  ++incarnation_;
  started_at_ = around_.queue.now();
}

std::ptrdiff_t Node::deaths(const std::string& job, std::uint32_t shard) const {
  std::ptrdiff_t sum = 0;
  for (const auto& [key, deaths] : deaths_) {
    sum += std::get<0>(key) == job && std::get<2>(key) == shard ? deaths : 0;
  }
  return sum;
}

bool Node::admits(std::uint64_t epoch) {
  epoch_ = std::max(epoch_, epoch);
  return epoch == epoch_;
}

Duration Node::until_end(const Work& work) const {
  return std::min(std::max(work.ends_at - around_.queue.now(), Duration{}), kPollMax);
}

std::optional<Duration> Node::offer(const TaskOffer& offer, std::uint64_t epoch) {
  if (!admits(epoch)) {
    return std::nullopt;
  }
  const auto known = works_.find(key_of(offer.id));
  if (known != works_.end()) {
    Work& work = known->second;
    const bool same = work.offer.job_digest == offer.job_digest &&
                      work.offer.weights.ref == offer.weights.ref &&
                      work.offer.shard == offer.shard && work.offer.rows == offer.rows;
    const bool failed = work.fails && work.ends_at <= around_.queue.now();
    if (same && (!failed || work.offer.id == offer.id)) {
      if (work.offer.id != offer.id) {
        around_.counts.add(Tally::kTakeOvers);
      }
      work.offer.id = offer.id;
      return offer.prompt ? Duration{} : until_end(work);
    }
    works_.erase(known);
  }
  if (const std::optional<TaskState> state = turns_away(offer)) {
    turned_away_[offer.id] = *state;
    return Duration{};
  }
  begin(offer);
  return offer.prompt ? Duration{} : until_end(works_.at(key_of(offer.id)));
}

std::optional<TaskState> Node::turns_away(const TaskOffer& offer) {
  const auto busy = std::count_if(works_.begin(), works_.end(), [&](const auto& work) {
    return work.second.ends_at > around_.queue.now();
  });
  if (leaving_ || busy >= traits_.slots || around_.faults.strikes(Fault::kBusy)) {
    return TaskState::kBusy;
  }
  if (around_.faults.strikes(Fault::kRefusal)) {
    return TaskState::kRefused;
  }
  if (!traits_.has_shards && !shards_.contains({offer.id.job, offer.id.shard})) {
    return TaskState::kMissing;
  }
  return std::nullopt;
}

void Node::begin(const TaskOffer& offer) {
  std::erase_if(works_, [&](const auto& known) {
    const TaskId& id = known.second.offer.id;
    return id.job == offer.id.job && id.round < offer.id.round;
  });
  Duration needs = traits_.task_time / 2 + around_.dice.between(Duration{}, traits_.task_time);
  if (slow_until_ > around_.queue.now()) {
    needs *= kSlowness;
  }
  Work& work = works_[key_of(offer.id)];
  work.offer = offer;
  work.ends_at = around_.queue.now() + needs;
  work.fails = around_.faults.strikes(Fault::kNodeError);
  const auto poison = poisons_.find({offer.id.job, offer.id.shard});
  if (poison != poisons_.end()) {
    work.ends_at = TimePoint::max();
    const Duration lives = around_.dice.between(Duration{1ms}, Duration{400ms});
    around_.queue.after(lives, [this, poison, key = key_of(offer.id), process = incarnation_] {
      if (up_ && incarnation_ == process && works_.contains(key)) {
        around_.counts.add(Fault::kPoisonShard);
        poison->second();
      }
    });
  }
}

std::optional<Duration> Node::poll(const TaskId& task, std::uint64_t epoch) {
  if (!admits(epoch)) {
    return std::nullopt;
  }
  const auto known = works_.find(key_of(task));
  return known == works_.end() ? Duration{} : until_end(known->second);
}

bool Node::diverges(const TaskId& task) const {
  const auto found = divergences_.find(task.job);
  return found != divergences_.end() && found->second.round == task.round &&
         found->second.shard == task.shard;
}

Answer Node::answer(const TaskId& task) {
  Answer answer;
  answer.task = task;
  if (const auto turned = turned_away_.find(task); turned != turned_away_.end()) {
    answer.state = turned->second;
    turned_away_.erase(turned);
    return answer;
  }
  const auto known = works_.find(key_of(task));
  if (known == works_.end() || known->second.offer.id.offer != task.offer) {
    return answer;
  }
  const Work& work = known->second;
  if (work.ends_at > around_.queue.now()) {
    answer.state = TaskState::kRunning;
    said_begun_.insert(key_of(task));
  } else if (work.fails) {
    answer.state = TaskState::kFailed;
  } else if (diverges(task)) {
    answer.state = TaskState::kDiverged;
  } else {
    answer.state = TaskState::kDone;
    answer.weights = work.offer.weights.ref.digest;
    answer.delta = result_of(work.offer);
    answer.corrupted = around_.faults.strikes(Fault::kCorruptedResult);
    if (traits_.broken) {
      answer.delta = spoiled(answer.delta);
      around_.counts.add(Fault::kBrokenNode);
    }
  }
  return answer;
}

void Node::cancel(const TaskId& task, std::uint64_t epoch) {
  const auto known = works_.find(key_of(task));
  if (admits(epoch) && known != works_.end() && known->second.offer.id == task) {
    works_.erase(known);
  }
}

bool Node::heartbeat(const std::vector<std::string>& live_jobs, std::uint64_t epoch) {
  if (!admits(epoch)) {
    return false;
  }
  heard_at_ = around_.queue.now();
  for (auto& [key, work] : works_) {
    const bool live =
        std::find(live_jobs.begin(), live_jobs.end(), work.offer.id.job) != live_jobs.end();
    work.beats_unlisted = live ? 0 : work.beats_unlisted + 1;
  }
  std::erase_if(works_,
                [](const auto& known) { return known.second.beats_unlisted >= kBeatsUnlistedMax; });
  return true;
}

coordinator::NodeBeat Node::beat() const {
  coordinator::NodeBeat beat;
  beat.hello = {.incarnation = incarnation_text(),
                .kernel_id = traits_.other_kernel ? "another" : ml::kernel_id(),
                .slots = traits_.slots};
  beat.leaving = leaving_;
  beat.uptime = std::chrono::ceil<std::chrono::milliseconds>(around_.queue.now() - started_at_);
  return beat;
}

}  // namespace gradmill::simulation
