// What outlives the coordinator's process: jobs, rounds, results and the membership of nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/blob.h"
#include "coordinator/core/record.h"
#include "protocol/garbage.h"
#include "protocol/job_event.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// All that was durable, and who we are.
struct StoredState {
  std::string coordinator;        ///< Random, as old as the folder.
  std::uint64_t epoch = 0;        ///< Of this start; already durable.
  std::vector<StoredJob> jobs;    ///< In order of submission, those that ended too.
  std::vector<StoredNode> nodes;  ///< Members that are in no node list.
  SchedulingMode scheduling = SchedulingMode::kGlobal;
  std::vector<ModelVersion> models;
  std::vector<ModelAliases> aliases;  ///< One of each model, if need be made up.
  std::vector<std::string> notes;     ///< What was damaged and what was used instead, for people.
};

/// Keeps records so that they survive a crash at any moment. commit() for one thread at a time; the
/// others from any thread, also meanwhile. Every call may throw Error(kFailed) that names the state
/// folder, what is wrong with it and what to do; nothing that was durable before is lost by that.
class JobStore {
 public:
  virtual ~JobStore() = default;
  /// Raises the epoch and reads everything. Once, before all other calls.
  [[nodiscard]] virtual StoredState load() = 0;
  /// Makes the records durable, in order. After an error, or a crash in the middle, the records of
  /// a prefix are there and of the others nothing. Records that are already there may come again.
  /// On a full disk removals of jobs, and changes of their states, still find room.
  virtual void commit(std::span<const Record> records) = 0;
  /// Throws if there is no room for those blobs that are not there yet.
  virtual void check_room(std::span<const BlobRef> blobs) = 0;
  /// A shard or initial weights of a stored job, checked against its name; nothing if it is not
  /// there or damaged.
  [[nodiscard]] virtual std::optional<Blob> blob(const BlobRef& ref) = 0;
  /// The weights that a stored job's result names.
  [[nodiscard]] virtual std::optional<Blob> weights(const std::string& job) = 0;
  /// The bytes of a range of a stored prediction job, checked; nothing if they are not there or
  /// damaged.
  [[nodiscard]] virtual std::optional<Blob> predictions(const std::string& job,
                                                        std::uint64_t first_row) = 0;
  /// The model file of a stored version, checked; nothing if it is not there or damaged.
  [[nodiscard]] virtual std::optional<Blob> model(const ModelVersion& version) = 0;
  /// Reports of at most `limit` finished rounds after round `after`, with their tasks.
  [[nodiscard]] virtual std::vector<RoundReport> rounds(const std::string& job,
                                                        std::uint32_t after,
                                                        std::uint32_t limit) = 0;
  /// At most `limit` events of the job after `after`.
  [[nodiscard]] virtual std::vector<JobEvent> events(const std::string& job,
                                                     std::uint64_t after,
                                                     std::uint32_t limit) = 0;
  /// Removes the files that no stored job needs, or with `dry_run` only names them, those of
  /// `jobs` (which are about to be removed) among them.
  [[nodiscard]] virtual Garbage collect(std::span<const std::string> jobs, bool dry_run) = 0;
};

}  // namespace gradmill::coordinator
