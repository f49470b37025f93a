#include "coordinator/core/shares/fair_share.h"

#include <algorithm>

#include "base/check.h"

namespace gradmill::coordinator {

void FairShare::add(JobNumber job, WorkKind kind, const JobShare& share) {
  GRADMILL_CHECK(is_valid(share));
  const bool is_new = members_.try_emplace(job, Member{kind, share}).second;
  GRADMILL_CHECK(is_new);
  Tier& tier = tiers_[tier_of(members_[job])];
  if (kind == WorkKind::kPrediction) {
    tier.group = std::max(tier.group, tier.served);
    tier.group_weight += share.weight;
    members_[job].time = tier.rows_served;
  } else {
    members_[job].time = tier.served;
  }
}

void FairShare::remove(JobNumber job) {
  const auto found = members_.find(job);
  GRADMILL_CHECK(found != members_.end());
  if (found->second.kind == WorkKind::kPrediction) {
    tiers_.at(tier_of(found->second)).group_weight -= found->second.share.weight;
  }
  members_.erase(found);
}

void FairShare::regroup(const std::map<JobNumber, std::uint64_t>& pools) {
  ++grouping_;
  tiers_.clear();
  for (auto& [job, member] : members_) {
    const auto pool = pools.find(job);
    member.pool = pool == pools.end() ? 0 : pool->second;
    member.time = 0;
    Tier& tier = tiers_[tier_of(member)];
    tier.group_weight += member.kind == WorkKind::kPrediction ? member.share.weight : 0;
  }
}

void FairShare::arrived(JobNumber job) {
  Member& member = members_.at(job);
  Tier& tier = tiers_.at(tier_of(member));
  if (member.kind == WorkKind::kTraining) {
    member.time = std::max(member.time, tier.served);
    return;
  }
  tier.group = std::max(tier.group, tier.served);
  member.time = std::max(member.time, tier.rows_served);
}

double FairShare::slot_time(const Member& member) const {
  return member.kind == WorkKind::kPrediction ? tiers_.at(tier_of(member)).group : member.time;
}

bool FairShare::precedes(JobNumber job, JobNumber other) const {
  const Member& one = members_.at(job);
  const Member& two = members_.at(other);
  if (one.share.priority != two.share.priority) {
    return one.share.priority > two.share.priority;
  }
  if (one.fresh != two.fresh) {
    return one.fresh;
  }
  if (const double a = slot_time(one), b = slot_time(two); a != b) {
    return a < b;
  }
  if (one.kind == two.kind && one.time != two.time) {
    return one.time < two.time;
  }
  return job < other;
}

std::optional<JobNumber> FairShare::first(std::span<const JobNumber> waiting) const {
  const auto best = std::min_element(
      waiting.begin(), waiting.end(), [this](JobNumber a, JobNumber b) { return precedes(a, b); });
  return best == waiting.end() ? std::nullopt : std::optional(*best);
}

FairShare::Charge FairShare::charge(JobNumber job, const TaskCost& expected) {
  Member& member = members_.at(job);
  Tier& tier = tiers_.at(tier_of(member));
  tier.served = std::max(tier.served, slot_time(member));
  member.fresh = false;
  if (member.kind == WorkKind::kTraining) {
    const Charge charge{job, static_cast<double>(member.share.weight), expected, grouping_};
    member.time += expected.seconds / charge.weight;
    return charge;
  }
  const Charge charge{job, static_cast<double>(tier.group_weight), expected, grouping_};
  tier.group += expected.seconds / charge.weight;
  tier.rows_served = std::max(tier.rows_served, member.time);
  member.time += expected.rows / member.share.weight;
  return charge;
}

void FairShare::settle(const Charge& charge, const TaskCost& cost) {
  const auto found = members_.find(charge.job);
  if (found == members_.end() || charge.grouping != grouping_) {
    return;
  }
  Member& member = found->second;
  const double seconds = (cost.seconds - charge.cost.seconds) / charge.weight;
  if (member.kind == WorkKind::kTraining) {
    member.time += seconds;
    return;
  }
  tiers_.at(tier_of(member)).group += seconds;
  member.time += (cost.rows - charge.cost.rows) / member.share.weight;
}

}  // namespace gradmill::coordinator
