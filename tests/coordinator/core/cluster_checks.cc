// What the cluster checks of every answer of the scheduler.
#include <algorithm>

#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"

namespace gradmill::coordinator {

void Cluster::expect_progress() const {
  const std::vector<std::string> live = scheduler_.live_jobs();
  for (std::size_t n = 0; n < live.size(); ++n) {
    if (n == 0 || job(live[n]).state != JobState::kPending) {
      expect_progress(job(live[n]));
    }
  }
}

void Cluster::expect_progress(const Job& first) const {
  if (!first.round) {
    const bool waits = !to_validate_.empty() || !saves_.empty() || first.move;
    EXPECT_TRUE(waits) << "nobody runs, though " << first.id << " could";
    return;
  }
  const auto is_its = [&](const auto& round) { return round.job == first.id; };
  if (first.round->complete()) {
    EXPECT_TRUE(first.prediction || std::any_of(to_advance_.begin(), to_advance_.end(), is_its) ||
                std::count_if(to_validate_.begin(), to_validate_.end(), is_its) == 2);
    return;
  }
  EXPECT_TRUE(!offers_.empty() || scheduler_.wakeup(now_)) << "nothing will ever happen again";
  // A task that no node has turned down stays behind only where no node is idle.
  if (first.round->pending().size() > first.round->choosy().size()) {
    const std::vector<NodeView> views = scheduler_.nodes().views({}, {}, now_);
    EXPECT_TRUE(views.empty() ||
                std::any_of(views.begin(),
                            views.end(),
                            [](const NodeView& view) { return view.in_flight > 0; }))
        << "a task waits, and all nodes are idle";
  }
}

void Cluster::note(const OfferTask& action) {
  const TaskId& id = action.offer.id;
  EXPECT_TRUE(seen_.insert(id).second) << "an offer was made twice";
  EXPECT_TRUE(up_.contains(action.node)) << "an offer to a node that is down";
  EXPECT_TRUE(scheduler_.nodes().usable(action.node, now_)) << "an offer to a node set aside";
  const auto out = std::count_if(offers_.begin(), offers_.end(), [&](const Offer& offer) {
    return offer.node == action.node;
  });
  EXPECT_LT(out, std::ptrdiff_t{slots_.at(action.node)})
      << "an offer to a node without a free slot";
  for (const Offer& offer : offers_) {
    const TaskId& other = offer.task.id;
    const bool same = !offer.cancelled && other.job == id.job && other.shard == id.shard;
    EXPECT_TRUE(!same || offer.node != action.node) << "two wanted offers of one task on a node";
  }
  EXPECT_TRUE(state(id.job) == JobState::kRunning || state(id.job) == JobState::kRecovering);
  EXPECT_EQ(action.offer.job_digest, job_digest(*action.offer.job));
  EXPECT_EQ(action.offer.rows.has_value(), action.offer.job->prediction.has_value());
  if (!action.offer.rows) {
    check_training(action.offer);
  }
  offers_.push_back({action.node, action.offer, false});
}

void Cluster::check_training(const TaskOffer& offer) const {
  const auto advanced = advanced_.find(offer.id.job);
  EXPECT_EQ(offer.id.round, (advanced == advanced_.end() ? 0 : advanced->second) + 1);
  EXPECT_EQ(offer.shard, make_blob(shard_name(offer.id.job, offer.id.shard)).ref);
  EXPECT_EQ(offer.weights.ref, make_blob(weights_of(offer.id.job, offer.id.round - 1)).ref);
}

void Cluster::note(const CancelTask& action) {
  const auto found = std::find_if(offers_.begin(), offers_.end(), [&](const Offer& offer) {
    return offer.task.id == action.task && offer.node == action.node;
  });
  ASSERT_NE(found, offers_.end()) << "a cancel of an offer that is not out";
  EXPECT_FALSE(found->cancelled) << "a second cancel of an offer";
  found->cancelled = true;
}

void Cluster::note(const AdvanceRound& action) {
  EXPECT_TRUE(std::none_of(to_advance_.begin(), to_advance_.end(), [&](const AdvanceRound& one) {
    return one.job == action.job;
  })) << "two rounds to advance at a time";
  EXPECT_EQ(action.round, ++advanced_[action.job]) << "a round advanced twice or out of order";
  ASSERT_NE(action.server, nullptr);
  EXPECT_EQ(action.server->first,
            action.round == 1 ? std::vector<double>{} : std::vector<double>{action.round - 1.0});
  for (const TaskId& task : wanted()) {
    EXPECT_NE(task.job, action.job);
  }
  const bool is_exact = action.specification->quorum == 0;
  EXPECT_TRUE(!is_exact || action.deltas.size() == action.specification->shards.size());
  EXPECT_EQ(action.weights.ref, make_blob(weights_of(action.job, action.round - 1)).ref);
  for (std::uint32_t shard = 0; is_exact && shard < action.deltas.size(); ++shard) {
    EXPECT_EQ(*action.deltas[shard].bytes, delta_of({action.job, action.round, shard, 0}));
    EXPECT_EQ(action.rows.at(shard), 10U * (shard + 1));
  }
  std::uint64_t counted = 0;
  for (const auto& [node, tally] : job(action.job).tallies) {
    counted += tally.tasks;
  }
  EXPECT_TRUE(!is_exact || counted == action.round * action.deltas.size())
      << "not each task exactly once";
  to_advance_.push_back(action);
}

void Cluster::note(const ValidateRound& action) {
  EXPECT_EQ(action.round, ++validated_[action.job]) << "a round validated twice or out of order";
  EXPECT_EQ(action.weights.ref, make_blob(weights_of(action.job, action.round)).ref);
  to_validate_.push_back(action);
}

void Cluster::note(const JobEnded& action) {
  EXPECT_EQ(std::count(ended_.begin(), ended_.end(), action.job), 0) << "a job ended twice";
  EXPECT_TRUE(has_ended(state(action.job)));
  EXPECT_NE(action.weights.bytes, nullptr);
  EXPECT_EQ(action.weights.ref,
            make_blob(weights_of(action.job, round_of_weights(job(action.job)))).ref);
  ended_.push_back(action.job);
  std::erase_if(to_advance_, [&](const AdvanceRound& one) { return one.job == action.job; });
  std::erase_if(to_validate_, [&](const ValidateRound& one) { return one.job == action.job; });
}

std::uint32_t Cluster::round_of_weights(const Job& job) const {
  const auto finished = static_cast<std::uint32_t>(job.finished.size());
  if (job.specification->early_stop == 0 || finished == 0) {
    return finished;
  }
  std::uint32_t best = 1;
  for (std::uint32_t round = 2; round <= finished; ++round) {
    best = error_of(round) < error_of(best) ? round : best;
  }
  return best;
}

}  // namespace gradmill::coordinator
