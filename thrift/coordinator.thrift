// What the coordinator does for clients.

include "common.thrift"

namespace cpp gradmill.wire

/** How the coordinator moves the weights by the averaged delta. */
enum ServerOptimizer { UNKNOWN = 0, AVERAGE = 1, MOMENTUM = 2, ADAM = 3 }

/** The coordinator's step at the end of a round. */
struct ServerRule {
  1: ServerOptimizer optimizer,  // its state lasts as long as the job
  2: double eta,                 // above 0
  3: double momentum             // in [0, 1): beta 1 of ADAM; 0 for AVERAGE
}

/** A training job. Its digest, not its id, keys every random draw. */
struct JobSpecification {
  1: common.TrainingRule rule,
  2: i32 rounds,
  3: list<common.BlobRef> shards,              // training shards, in order
  4: list<common.BlobRef> validation,          // validation shards, in order
  5: optional common.BlobRef initial_weights,  // start from these instead of the seed's
  6: ServerRule server,
  7: i32 early_stop,                           // end after so many rounds without a lower error; 0: never
  8: i32 validate_every                        // rounds from one validation to the next
}

struct SubmitJobRequest {
  1: string job_id,          // the client's choice; the same id again is the same job
  2: JobSpecification specification
}

struct SubmitJobResponse {
  1: string job_id,                  // echo
  2: list<common.Digest> missing     // blobs to put first; if any, nothing was submitted
}

enum JobState {
  UNKNOWN = 0, PENDING = 1, RUNNING = 2, RECOVERING = 3, PAUSED = 4, SUCCEEDED = 5, FAILED = 6,
  CANCELLED = 7
}

/** Returns once the job has changed since `version`, or after wait_ms; not before gather_ms, unless
    the job has ended or `version` is 0, so that one answer tells of many short rounds. */
struct FollowJobRequest {
  1: string job_id,
  2: i64 version,        // of the last response, 0 at first
  3: i32 wait_ms,        // at most 1000
  4: i32 rounds_known,   // reports of later rounds are sent
  5: bool with_tasks,    // also the timing of each task
  6: i32 gather_ms       // at most wait_ms
}

/** One task of a finished round. Seconds. */
struct TaskReport {
  1: i32 shard,
  2: string node,      // host:port
  3: double transfer,  // calls, less compute and simulated load
  4: double compute,   // training on the node
  5: double wait,      // from the start of the round to the offer that was accepted, and simulated load
  6: i32 epochs,       // whole passes over the shard
  7: double loss       // summed cross-entropy of the last pass, or of a pass by the mean of all steps
}

/** One finished round. Seconds. */
struct RoundReport {
  1: i32 round,                // from 1
  2: optional double validation_error,  // share of validation rows whose class was wrong, if validated
  3: double seconds,           // from its first offer to its end
  4: double aggregate,
  5: double validate,
  6: list<TaskReport> tasks    // in shard order, if asked for
}

/** What a node did for this job. */
struct NodeReport {
  1: string node,     // host:port
  2: i64 tasks,       // results that counted
  3: i64 refused,     // offers refused by simulated load
  4: i64 failed       // offers that ended in a fault of the node
}

struct JobStatus {
  1: string job_id,
  2: i64 version,                       // rises with every change
  3: JobState state,
  4: i32 ahead,                         // PENDING: jobs that run before this one
  5: i32 rounds,                        // of the whole job
  6: i32 round,                         // RUNNING: the current one, from 1
  7: i32 shards,                        // tasks a round
  8: i32 shards_done,                   // of the current round
  9: list<RoundReport> finished,        // from rounds_known + 1 on; perhaps not yet all
  10: list<NodeReport> nodes,
  11: string reason,                    // ended: succeeded, cancelled, no_capacity, shard_failed, ...
  12: string message,                   // ended: a sentence for people
  13: common.BlobRef parameters,        // the weights of the last finished round, or of best_round
  14: string notice,                    // RUNNING: what holds it up, if anything
  15: i32 best_round                    // jobs with early_stop: the round of lowest error so far; else 0
}

struct CancelJobRequest {
  1: string job_id
}

struct CancelJobResponse {
  1: string job_id,    // echo
  2: JobState state    // after the call
}

service CoordinatorService {
  common.HelloResponse hello(1: common.HelloRequest request)
      throws (1: common.InvalidRequest invalid),
  SubmitJobResponse submitJob(1: SubmitJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable),
  JobStatus followJob(1: FollowJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing),
  CancelJobResponse cancelJob(1: CancelJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing),
  common.PutBlobResponse putBlob(1: common.PutBlobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable),
  common.GetBlobResponse getBlob(1: common.GetBlobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing)
}
