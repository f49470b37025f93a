// What a compute node does for a coordinator.

include "common.thrift"

namespace cpp gradmill.wire

/** One offer of one task. The content of a task is named by (job, round, shard) alone. */
struct TaskId {
  1: string job_id,  // the job's id at the coordinator
  2: i32 round,      // from 1
  3: i32 shard,      // index in the job's list, from 0
  4: i64 offer       // new with every offer of this task to any node, from 1
}

/** What the node's simulated load does to this offer. */
enum LoadRule {
  UNKNOWN = 0,
  DELAY = 1,           // with the load probability, wait before the work
  REFUSE_OR_DELAY = 2  // with the load probability refuse; if not, DELAY by an independent draw
}

enum TaskState {
  UNKNOWN = 0,
  RUNNING = 1,    // accepted and not finished: poll it
  DONE = 2,       // the delta is inline or can be fetched as a blob
  REFUSED = 3,    // the simulated load refused this offer
  MISSING = 4,    // the node lacks blobs: put them and send the same offer again
  BUSY = 5,       // all slots hold other work, or the node is leaving
  FAILED = 6,     // the node cannot do this task: message says why
  CANCELLED = 7,  // somebody cancelled it, or the node is leaving
  NOT_FOUND = 8,  // the node knows nothing of this offer
  DIVERGED = 9    // the loss is no longer finite
}

/** The rows of a prediction task. */
struct RowBatch {
  1: i64 first_row,     // of the shard, from 0
  2: common.Rows rows
}

/** An offer. The node answers as soon as the task is decided, or after wait_ms with RUNNING. */
struct RunTaskRequest {
  1: common.Fence fence,
  2: TaskId task,
  3: common.Digest job_digest,     // digest of the job's specification, the key of random draws
  4: common.TrainingRule rule,
  5: i32 rounds,                   // rounds of the whole job
  6: common.BlobRef weights,       // where the round starts from
  7: common.BlobRef shard,         // the rows
  8: LoadRule load_rule,
  9: i32 wait_ms,                  // at most 1000
  10: optional binary weights_data, // the weights themselves, when the node may lack them and they are small
  11: optional RowBatch batch      // a prediction task: the rows; the weights are a model file, rule and rounds void
}

struct PollTaskRequest {
  1: common.Fence fence,
  2: TaskId task,
  3: i32 wait_ms  // at most 1000
}

struct TaskResponse {
  1: TaskId task,                   // echo
  2: TaskState state,
  3: list<common.Digest> missing,   // MISSING: what the node lacks
  4: common.Digest weights,         // DONE: what the delta starts from, echo of the offer
  5: common.BlobRef delta,          // DONE: new weights minus old, layout of the weights; no digest if inline;
                                    // of a prediction task: classes, then probabilities, as in PredictRowsResponse
  6: optional binary delta_data,    // DONE: the delta itself, up to 1 MiB
  7: double loss,                   // DONE: summed cross-entropy of the last pass, or of a pass by the mean of all steps
  8: i32 epochs,                    // DONE: whole passes over the shard
  9: double compute_seconds,        // DONE: training alone
  10: double delay_seconds,         // DONE: simulated load
  11: string message,               // FAILED: why, one line
  12: i64 delta_checksum            // DONE, with delta_data: its XXH3 of 64 bits
}

struct CancelTaskRequest {
  1: common.Fence fence,
  2: TaskId task
}

struct CancelTaskResponse {
  1: TaskId task  // echo; the task no longer runs, or never did
}

/** Sent by the coordinator, apart from work, about once a second. */
struct HeartbeatRequest {
  1: common.Fence fence,
  2: list<string> live_jobs  // jobs not listed have ended: the node drops what it holds for them
}

struct HeartbeatResponse {
  1: string incarnation,  // as in hello
  2: i32 running,         // tasks that hold a slot
  3: bool leaving,        // the node takes no new work
  4: i64 uptime_ms        // since the process started
}

/** Replaces all faults that the node injects. */
struct SetNodeFaultsRequest {
  1: common.FaultSettings faults
}

struct SetNodeFaultsResponse {
  1: bool enabled,             // false: the node injects none, since it was not started for it
  2: common.FaultState state   // if enabled
}

struct GetNodeFaultsRequest {
}

struct GetNodeFaultsResponse {
  1: bool enabled,             // as in SetNodeFaultsResponse
  2: common.FaultState state   // if enabled
}

/** Asks for the classes of rows by a model. Answered beside tasks, and changes nothing. */
struct PredictRowsRequest {
  1: common.Fence fence,
  2: common.Digest model,  // of its file
  3: common.Rows rows
}

struct PredictRowsResponse {
  1: bool missing,          // the node lacks the model: put it and ask again
  2: binary classes,        // 16 bits a row, little endian: indices from 0
  3: binary probabilities,  // of these classes, 32-bit floats, little endian
  4: i64 compute_ns         // in the kernel
}

service NodeService {
  common.HelloResponse hello(1: common.HelloRequest request)
      throws (1: common.InvalidRequest invalid, 5: common.NotAllowed refused),
  HeartbeatResponse heartbeat(1: HeartbeatRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal),
  TaskResponse runTask(1: RunTaskRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal),
  TaskResponse pollTask(1: PollTaskRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal),
  CancelTaskResponse cancelTask(1: CancelTaskRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal),
  SetNodeFaultsResponse setFaults(1: SetNodeFaultsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal),
  GetNodeFaultsResponse getFaults(1: GetNodeFaultsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal),
  common.PutBlobResponse putBlob(1: common.PutBlobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable),
  common.GetBlobResponse getBlob(1: common.GetBlobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing),
  PredictRowsResponse predictRows(1: PredictRowsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable, 5: common.NotAllowed refused),
  common.PutBlobResponse putModel(1: common.PutBlobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable, 5: common.NotAllowed refused)
}
