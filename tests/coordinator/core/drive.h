// Ways to drive a cluster.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "coordinator/core/cluster.h"

namespace gradmill::coordinator {

/// Until when the job has failed, with every offer answered by `answer` at once; the time it took.
template <class Answer>
Duration time_until_end(Cluster& cluster, const std::string& job, const Answer& answer) {
  const TimePoint start = cluster.now();
  for (int steps = 0; !has_ended(cluster.state(job)) && steps < 10'000; ++steps) {
    if (cluster.offers().empty()) {
      if (!cluster.pass_to_wakeup()) {
        ADD_FAILURE() << "nothing to wait for, and the job has not ended";
        break;
      }
    } else {
      const TaskId task = cluster.offers().front().task.id;
      answer(task);
    }
  }
  EXPECT_TRUE(has_ended(cluster.state(job)));
  return cluster.now() - start;
}

/// Completes what is offered until nothing is.
inline void work_off(Cluster& cluster) {
  while (!cluster.wanted().empty()) {
    cluster.complete(cluster.wanted().front());
  }
}

/// Completes what is offered, but for tasks of this job, which diverge.
inline void complete_but(Cluster& cluster, const std::string& diverging) {
  for (const TaskId& task : cluster.wanted()) {
    if (task.job == diverging) {
      cluster.diverge(task);
    } else {
      cluster.complete(task);
    }
  }
}

/// The nodes acknowledge what was cancelled.
inline void answer_cancelled(Cluster& cluster) {
  const std::vector<Cluster::Offer> offers = cluster.offers();
  for (const Cluster::Offer& offer : offers) {
    if (offer.cancelled) {
      cluster.lose(offer.task.id, std::nullopt);
    }
  }
}

}  // namespace gradmill::coordinator
