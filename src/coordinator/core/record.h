// What the coordinator wants to be durable, and what it finds again after a restart.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/blob.h"
#include "ml/server_optimizer.h"
#include "protocol/job_event.h"
#include "protocol/job_share.h"
#include "protocol/job_specification.h"
#include "protocol/job_status.h"
#include "protocol/model.h"
#include "protocol/node_status.h"
#include "protocol/query_statistics.h"

namespace gradmill::coordinator {

/// What a node did for a job.
struct NodeTally {
  std::uint64_t tasks = 0;    ///< Results that counted.
  std::uint64_t refused = 0;  ///< Offers refused by simulated load.
  std::uint64_t failed = 0;   ///< Offers that ended in a fault of the node.
};

/// Why a job ended.
struct JobEnd {
  /// A code: succeeded, cancelled, no_capacity, shard_failed, poison_shard, diverged, internal.
  std::string reason;
  std::string message;  ///< A sentence for people.
};

/// A job's training after a round: all that the next round needs.
struct Checkpoint {
  std::uint32_t round = 0;                        ///< The last finished one; 0: none yet.
  Blob weights;                                   ///< After that round.
  std::shared_ptr<const ml::ServerState> server;  ///< Likewise; never null.
  std::uint32_t best_round = 0;                   ///< With early_stop: of the lowest error; else 0.
  double best_error = 0;                          ///< Of best_round.
  Blob best_weights;                              ///< After best_round; no bytes if it is 0.
  bool exact = true;                              ///< No round so far went without a shard.

  /// The weights that the job would have if it ended now.
  [[nodiscard]] const Blob& result() const { return best_round > 0 ? best_weights : weights; }
};

/// A job was submitted.
struct JobAdded {
  std::string job;
  std::shared_ptr<const JobSpecification> specification;
  std::vector<std::uint64_t> shard_rows;
  Blob weights;             ///< Where the first round starts from.
  std::vector<Blob> blobs;  ///< Every blob of the specification.
  std::int64_t submitted_ms = 0;
  JobShare share{};
  std::string model{};  ///< What its model is called; empty: it is not registered.
};

/// A round is finished.
struct RoundFinished {
  std::string job;
  RoundReport report;  ///< With its tasks.
  Checkpoint checkpoint;
  std::map<std::string, NodeTally> tallies;  ///< Of the whole job so far, by host:port.
};

/// A range of the rows of a prediction job, and what the model says of them.
struct PredictedRange {
  std::uint64_t first_row = 0;  ///< Of the whole job, from 0.
  std::uint64_t rows = 0;       ///< >= 1.
  std::uint64_t wrong = 0;      ///< Of them: rows that the model takes for another class.
  /// A 16-bit class a row, then their 32-bit floats of probability, both little endian.
  Blob predictions;
};

/// All rows of a prediction job are predicted up to the end of this range, which begins where the
/// one before ended.
struct RowsPredicted {
  std::string job;
  PredictedRange range;
  std::map<std::string, NodeTally> tallies;  ///< As in RoundFinished.
};

/// A running prediction job has batches of another size from now on.
struct BatchSizeChanged {
  std::string job;
  std::uint32_t batch_rows = 0;
};

/// A job's state has changed: to pending (resumed), paused, or an end.
struct JobMoved {
  std::string job;
  JobState state = JobState::kPending;
  JobEnd end;                                ///< If it has ended.
  std::int64_t ended_ms = 0;                 ///< Likewise.
  std::map<std::string, NodeTally> tallies;  ///< As in RoundFinished.
  /// If it has ended. The core knows nothing of them: whoever enacts the save adds them.
  std::optional<QueryStatistics> statistics{};
};

/// An ended job is to be forgotten.
struct JobRemoved {
  std::string job;
};

/// Something happened to a job. Such records may be lost in a crash, up to the last one that is
/// none.
struct JobLogged {
  std::string job;
  JobEvent event;
};

/// A node that is in no list became a member, or is no longer one.
struct NodeAdded {
  Address address;
  NodeSource source = NodeSource::kJoined;
};
struct NodeRemoved {
  Address address;
};

/// A node was taken out by hand: it stays out, also over restarts, until a client adds it or it
/// announces itself as another process.
struct NodeTakenOut {
  Address address;
  std::string incarnation;  ///< Of the process that was taken out.
};

/// The mode of scheduling is another one.
struct SchedulingSet {
  SchedulingMode mode = SchedulingMode::kGlobal;
};

/// A version was registered.
struct ModelAdded {
  ModelVersion version;
  Blob file;  ///< What version.file names.
};

/// The aliases of a model changed.
struct ModelAliases {
  std::string model;
  std::uint32_t last_version = 0;  ///< Highest number ever given, deleted ones among them.
  std::vector<AliasMove> history;  ///< All of it, oldest first.
};

/// A version, or a whole model, is to be forgotten.
struct ModelRemoved {
  std::string model;
  std::uint32_t version = 0;  ///< 0: the model.
};

using Record = std::variant<JobAdded,
                            RoundFinished,
                            RowsPredicted,
                            BatchSizeChanged,
                            JobMoved,
                            JobRemoved,
                            JobLogged,
                            NodeAdded,
                            NodeRemoved,
                            NodeTakenOut,
                            SchedulingSet,
                            ModelAdded,
                            ModelAliases,
                            ModelRemoved>;

/// A job as it was found.
struct StoredJob {
  std::string job;
  std::shared_ptr<const JobSpecification> specification;
  std::vector<std::uint64_t> shard_rows;
  std::int64_t submitted_ms = 0;
  JobShare share{};
  std::string model;                    ///< As in JobAdded.
  JobState state = JobState::kPending;  ///< Pending also where it ran; paused, or an end.
  JobEnd end;
  std::int64_t ended_ms = 0;
  Checkpoint checkpoint;  ///< Ended jobs: weights are named, without their bytes.
  /// 1 to checkpoint.round, without tasks. Of an ended job they may be left to the store.
  std::vector<RoundReport> rounds;
  std::optional<double> validation_error;  ///< Of its last validated round, if rounds are not here.
  std::map<std::string, NodeTally> tallies;
  /// Prediction jobs: from row 0 on, each where the one before ended; named, without their bytes.
  std::vector<PredictedRange> predicted;
  std::uint32_t batch_rows = 0;                 ///< As it was changed last; 0: as it was submitted.
  std::optional<QueryStatistics> statistics{};  ///< As in JobMoved.
};

/// A member as it was found.
struct StoredNode {
  Address address;
  NodeSource source = NodeSource::kJoined;
  bool taken_out = false;     ///< By hand; then its source is void.
  std::string incarnation{};  ///< Of the process that was.
};

}  // namespace gradmill::coordinator
