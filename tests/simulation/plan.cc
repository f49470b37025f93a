#include "simulation/plan.h"

#include <array>
#include <chrono>
#include <utility>

namespace gradmill::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::array<const char*, 3> kPolicies = {"random", "load-balancing", "round-robin"};
constexpr Duration kFaultsUntil = 1500ms;

NodeTraits draw_node(Dice& dice, bool is_extra) {
  NodeTraits traits;
  traits.source = is_extra ? NodeSource::kJoined : NodeSource::kListed;
  traits.slots = dice.between(1U, 3U);
  traits.task_time = dice.between(Duration{20ms}, Duration{250ms});
  traits.has_shards = dice.chance(0.7);
  traits.other_kernel = is_extra && dice.chance(0.1);
  return traits;
}

Divergence draw_divergence(Dice& dice, const JobSpecification& job) {
  Divergence divergence;
  if (dice.chance(0.04)) {
    divergence.round = dice.between(1U, job.rounds);
    if (dice.chance(0.5)) {
      divergence.shard = static_cast<std::uint32_t>(dice.below(job.shards.size()));
    }
  }
  return divergence;
}

void draw_terms(Dice& dice, JobPlan& job, std::size_t number) {
  job.weights = number_blob(dice.next());
  job.share.priority = dice.chance(0.3) ? static_cast<std::int32_t>(dice.between(1U, 2U)) : 0;
  job.share.weight = dice.chance(0.3) ? dice.between(1U, 10U) : 1;
  job.submit_at = number == 0 ? Duration{1ms} : dice.between(Duration{}, kFaultsUntil);
}

JobPlan draw_prediction(Dice& dice, std::size_t number) {
  JobPlan job;
  job.id = "job-" + std::to_string(number);
  auto specification = std::make_shared<JobSpecification>();
  PredictionPlan& plan = specification->prediction.emplace();
  plan.model = {.model = "letters",
                .version = 1,
                .file = number_blob(dice.next()).ref,
                .features = 2,
                .labels = {"a", "b"}};
  plan.batch_rows = dice.between(1U, 30U);
  plan.labelled = true;
  for (std::uint32_t shard = dice.between(1U, 4U); shard > 0; --shard) {
    specification->shards.push_back(number_blob(dice.next()).ref);
    job.rows.push_back(dice.between(1U, 200U));
  }
  draw_terms(dice, job, number);
  job.specification = std::move(specification);
  return job;
}

JobPlan draw_job(Dice& dice, std::size_t number, bool closes_slowly) {
  if (dice.chance(0.3)) {
    return draw_prediction(dice, number);
  }
  JobPlan job;
  job.id = "job-" + std::to_string(number);
  auto specification = std::make_shared<JobSpecification>();
  specification->rule.topology.units = {2, 2};
  specification->rule.seed = dice.next() >> 1U;
  specification->rounds = dice.between(3U, 5U);
  specification->validate_every = dice.between(1U, 2U);
  specification->early_stop = dice.chance(0.25) ? dice.between(1U, 2U) : 0;
  const std::uint32_t shards = dice.between(4U, 7U);
  if (dice.chance(closes_slowly ? 0.6 : 0.12)) {
    specification->quorum = dice.between(1U, shards - 1);
    specification->round_deadline = std::chrono::milliseconds(dice.between(100U, 1500U));
  }
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    specification->shards.push_back(number_blob(dice.next()).ref);
    job.rows.push_back(dice.between(1U, 100U));
  }
  draw_terms(dice, job, number);
  job.divergence = draw_divergence(dice, *specification);
  if (job.divergence.round == 0 && dice.chance(0.03)) {
    job.poison = static_cast<std::uint32_t>(dice.below(shards));
  }
  job.expected = run_directly(*specification, job.weights, job.rows, job.divergence);
  job.specification = std::move(specification);
  return job;
}

/// Faults of nodes and messages are as likely as those of disk and coordinator are together.
FaultPlan draw_fault(Dice& dice) {
  FaultPlan fault;
  fault.at = dice.between(Duration{}, kFaultsUntil);
  if (dice.chance(0.3)) {
    fault.fault = Fault::kCoordinatorCrash;
    fault.point = static_cast<CrashPoint>(dice.below(kCrashPoints));
    return fault;
  }
  do {
    fault.fault = static_cast<Fault>(dice.below(kFaults));
  } while (fault.fault == Fault::kBrokenNode || fault.fault == Fault::kPoisonShard ||
           fault.fault == Fault::kCoordinatorCrash);
  return fault;
}

/// Most who pause a job resume it soon, so that what was out before may still come.
void draw_commands(Dice& dice, Plan& plan) {
  for (std::uint32_t commands = dice.chance(plan.closes_slowly ? 0.9 : 0.3) ? dice.between(1U, 3U)
                                                                            : 0;
       commands > 0;
       --commands) {
    const std::string& job = plan.jobs[dice.below(plan.jobs.size())].id;
    const Duration at = dice.between(Duration{}, kFaultsUntil);
    if (dice.chance(0.1)) {
      plan.commands.push_back({at, job, JobCommand::kCancel});
      continue;
    }
    plan.commands.push_back({at, job, JobCommand::kPause});
    if (dice.chance(0.15)) {
      continue;  // Until the end of all faults.
    }
    for (int resumes = 0; resumes < 3; ++resumes) {
      const Duration later = dice.between(Duration{1ms}, Duration{200ms}) * (resumes + 1);
      plan.commands.push_back({at + later, job, JobCommand::kResume});
    }
  }
}

void draw_resizes(Dice& dice, Plan& plan) {
  for (const JobPlan& job : plan.jobs) {
    while (job.specification->prediction && dice.chance(0.3)) {
      const Duration at = dice.between(Duration{}, kFaultsUntil);
      plan.resizes.push_back({at, job.id, dice.between(1U, 60U)});
    }
  }
}

/// Some histories are in local mode, from the beginning or now and then. Dice of its own, so that
/// all else is as it would be.
void draw_switches(Plan& plan) {
  Dice dice(plan.seed ^ 0x6d6f6465U);
  const bool begins_local = dice.chance(plan.jobs.size() > 1 ? 0.4 : 0.1);
  SchedulingMode mode = begins_local ? SchedulingMode::kLocal : SchedulingMode::kGlobal;
  if (begins_local) {
    plan.switches.push_back({Duration{}, mode});
  }
  for (std::uint32_t more = dice.chance(plan.jobs.size() > 1 ? 0.4 : 0.1) ? dice.between(1U, 4U)
                                                                          : 0;
       more > 0;
       --more) {
    mode = dice.chance(0.6) ? SchedulingMode::kLocal : SchedulingMode::kGlobal;
    plan.switches.push_back({dice.between(Duration{}, 2 * kFaultsUntil), mode});
  }
}

}  // namespace

Plan make_plan(std::uint64_t seed) {
  Dice dice(seed ^ 0x706c616eU);
  Plan plan;
  plan.seed = seed;
  plan.closes_slowly = dice.chance(0.15);
  plan.policy = dice.one_of(kPolicies);
  plan.options.seed = seed;
  plan.options.capacity_timeout = dice.chance(0.1) ? 8s : 60s;
  plan.options.batches_ahead = dice.chance(0.5) ? dice.between(4U, 24U) : 4096;
  plan.options.retention.jobs = dice.chance(0.1) ? 1 : 200;
  plan.options.detection.forget_after =
      dice.chance(0.2) ? dice.between(Duration{1s}, Duration{7s}) : Duration{600s};
  for (std::uint32_t node = dice.between(3U, 6U); node > 0; --node) {
    plan.nodes.push_back(draw_node(dice, false));
  }
  if (dice.chance(0.2)) {
    plan.nodes.push_back(draw_node(dice, true));
  }
  const std::size_t jobs = dice.chance(0.6) ? 1 : dice.between(2U, 4U);
  plan.options.running_jobs_max = dice.chance(0.2) ? dice.between(1U, 2U) : 16;
  for (std::size_t job = 0; job < jobs; ++job) {
    plan.jobs.push_back(draw_job(dice, job, plan.closes_slowly));
  }
  for (std::uint32_t faults = dice.between(2U, 12U); faults > 0; --faults) {
    plan.faults.push_back(draw_fault(dice));
  }
  draw_commands(dice, plan);
  draw_resizes(dice, plan);
  if (dice.chance(0.08)) {
    DeletionPlan& deletion = plan.deletions.emplace_back();
    deletion.at = dice.between(Duration{}, 3 * kFaultsUntil);
    deletion.job = plan.jobs[dice.below(plan.jobs.size())].id;
    if (dice.chance(0.7)) {
      deletion.again = dice.between(Duration{}, Duration{300ms});
    }
  }
  draw_switches(plan);
  plan.storm = dice.chance(0.15) ? 0.05 * dice.between(1U, 5U) : 0;
  plan.has_broken_node = dice.chance(0.02);
  if (plan.has_broken_node) {
    plan.nodes[dice.below(plan.nodes.size())].broken = true;
    // Two results of a task are compared only where a straggler was copied.
    for (const Duration at : {50ms, 150ms, 300ms}) {
      plan.faults.push_back({at, Fault::kStraggler, {}});
    }
  }
  return plan;
}

}  // namespace gradmill::simulation
