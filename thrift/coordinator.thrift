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

/** What a prediction job is: all of its rows get the classes that one version of a model says. */
struct PredictionPlan {
  1: string model,          // its name
  2: i32 version,           // from 1
  3: common.BlobRef file,   // the model file (safetensors)
  4: i32 features,          // of a row
  5: list<string> labels,   // the original label of each class
  6: i32 batch_rows,        // rows of a task, 1 to 1000000; setBatchRows changes it
  7: bool labelled          // the rows' labels are true: indices of `labels`, or their number for
                            // one that the model does not know; else all of them are 0
}

/** A training job. Its digest, not its id, keys every random draw. A prediction job has but
    `prediction` and `shards`, its rows in order; all other fields must say nothing. */
struct JobSpecification {
  1: common.TrainingRule rule,
  2: i32 rounds,
  3: list<common.BlobRef> shards,              // training shards, in order
  4: list<common.BlobRef> validation,          // validation shards, in order
  5: optional common.BlobRef initial_weights,  // start from these instead of the seed's
  6: ServerRule server,
  7: i32 early_stop,                           // end after so many rounds without a lower error; 0: never
  8: i32 validate_every,                       // rounds from one validation to the next
  9: i32 quorum,                               // shards that a round must have once it is late; 0: all
  10: i64 round_deadline_ms,                   // when a round is late; 0: never
  11: optional PredictionPlan prediction       // of a prediction job
}

struct SubmitJobRequest {
  1: string job_id,          // the client's choice; the same id again is the same job
  2: JobSpecification specification,
  3: string model,           // what its result is registered as; empty: not at all
  4: i32 priority,           // -100 to 100: jobs of a higher one come first at each free slot
  5: i32 weight              // 1 to 1000: shares of slot time go by it
}

/** Returns once the job is durable, or the list of what is missing. */
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
  7: double loss,      // summed cross-entropy of the last pass, or of a pass by the mean of all steps
  8: i32 offers        // made of it in this round, to whatever node
}

/** One finished, that is durable, round. Seconds. */
struct RoundReport {
  1: i32 round,                // from 1
  2: optional double validation_error,  // share of validation rows whose class was wrong, if validated
  3: double seconds,           // from its first offer to its end
  4: double aggregate,
  5: double validate,
  6: list<TaskReport> tasks,   // in shard order, if asked for
  7: list<i32> missing         // shards, from 0, that the round went without
}

/** What a node did for this job. */
struct NodeReport {
  1: string node,     // host:port
  2: i64 tasks,       // results that counted
  3: i64 refused,     // offers refused by simulated load
  4: i64 failed       // offers that ended in a fault of the node
}

/** How far a prediction job is. */
struct PredictionStatus {
  1: i64 rows,          // of the whole job
  2: i64 rows_done,     // from the first on: durable, so that jobPredictions has them
  3: i64 wrong,         // of these, where rows have labels
  4: i32 batch_rows,    // of the batches to come
  5: bool labelled,     // as in PredictionPlan, as the next two
  6: string model,
  7: i32 version
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
  15: i32 best_round,                   // jobs with early_stop: the round of lowest error so far; else 0
  16: bool exact,                       // no round went without a shard
  17: i64 submitted_ms,                 // since 1970
  18: i64 ended_ms,                     // likewise; 0 while it has not ended
  19: string asked,                     // cancel or pause, while some node has yet to acknowledge it
  20: optional PredictionStatus prediction, // of prediction jobs, whose rounds and shards are 0
  21: string registered                 // succeeded: its result in the registry, NAME@VERSION; else empty
}

/** What is to become of a job. */
enum JobCommand { UNKNOWN = 0, CANCEL = 1, PAUSE = 2, RESUME = 3 }

/** Returns once every node has acknowledged it, or after wait_ms. */
struct ControlJobRequest {
  1: string job_id,
  2: JobCommand command,
  3: i32 wait_ms         // at most 1000
}

struct ControlJobResponse {
  1: string job_id,    // echo
  2: JobState state,   // after the call
  3: string asked      // as in JobStatus
}

/** Which nodes a job's tasks go to: all, by fair shares of their slots, or those of its own. */
enum SchedulingMode { UNKNOWN = 0, GLOBAL = 1, LOCAL = 2 }

/** What a list of jobs shows of each. */
struct JobSummary {
  1: string job_id,
  2: JobState state,
  3: i32 round,                         // finished ones
  4: i32 rounds,                        // of the whole job
  5: i32 shards,                        // tasks a round
  6: optional double validation_error,  // of the last validated round
  7: i64 submitted_ms,                  // since 1970
  8: i64 ended_ms,                      // likewise; 0 while it has not ended
  9: string reason,                     // as in JobStatus
  10: string message,                   // as in JobStatus; before the end, its notice
  11: bool exact,                       // as in JobStatus
  12: i32 priority,                     // as in SubmitJobRequest
  13: i32 weight,                       // likewise
  14: optional PredictionStatus prediction, // as in JobStatus
  15: i64 tasks,                        // results that counted
  16: optional SchedulingMode scheduling, // of all jobs; absent: GLOBAL
  17: string registered                 // as in JobStatus
}

struct ListJobsRequest {
  1: i32 limit          // the newest so many; 0: all that one answer holds
}

struct ListJobsResponse {
  1: list<JobSummary> jobs  // newest first
}

struct GetJobRequest {
  1: string job_id
}

struct GetJobResponse {
  1: JobStatus status,                 // without reports of rounds; `round` is the last finished one
  2: JobSpecification specification,
  3: list<i64> shard_rows,             // one a training shard
  4: string model,                     // as in SubmitJobRequest, as the next two
  5: i32 priority,
  6: i32 weight
}

struct ExplainJobRequest {
  1: string job_id
}

/** A node, as a job sees it. */
struct NodeExplanation {
  1: string node,                  // host:port
  2: i32 offers,                   // of the job, not answered
  3: i32 queued,                   // tasks of the job that wait for a slot of this node
  4: i64 tasks,                    // results that counted
  5: string reason,                // a code: why it has no offers; else empty
  6: string message,               // what it has, or the reason, for people
  7: optional double recent_share  // of the slot time that the node worked lately, 0 to 1
}

struct ExplainJobResponse {
  1: string job_id,                // echo
  2: JobState state,
  3: SchedulingMode scheduling,
  4: i32 waiting,                  // tasks, cut already, that no node was picked for
  5: list<NodeExplanation> nodes,  // in order of arrival
  6: bool predicts                 // a prediction job
}

/** Returns once the mode is durable. */
struct SetSchedulingRequest {
  1: SchedulingMode mode
}

struct SetSchedulingResponse {
  1: SchedulingMode mode  // echo
}

struct GetSchedulingRequest {
}

struct GetSchedulingResponse {
  1: SchedulingMode mode
}

/** Something that happened to a job. Absent numbers are -1, absent texts empty. */
struct JobEvent {
  1: i64 sequence,    // rises within the job, from 1
  2: i64 time_ms,     // since 1970
  3: string level,    // info or warning
  4: string event,    // task_failed, round_finished, ...
  5: i32 round,       // from 1
  6: i32 shard,       // from 0
  7: i64 attempt,     // the offer's number
  8: string node,     // host:port
  9: string reason,   // a code: connection_lost, invalid_result, ...
  10: string message  // for people
}

struct JobLogsRequest {
  1: string job_id,
  2: i64 after,       // events with a higher sequence, at most 1000 of them
  3: i32 wait_ms      // for one to come, unless the job has ended; at most 1000
}

struct JobLogsResponse {
  1: list<JobEvent> events,  // in order
  2: bool ended              // the job has, and these are its last
}

/** Asks a prediction job for what it knows of rows, in their order. May be sent again: it changes
    nothing. */
struct JobPredictionsRequest {
  1: string job_id,
  2: i64 first_row,   // from 0
  3: i32 rows_max,    // 1 to 65536; more count as 65536
  4: i32 wait_ms      // for one of them, unless the job has ended; at most 1000
}

struct JobPredictionsResponse {
  1: i64 first_row,         // echo
  2: i32 rows,              // at most rows_max; 0: none in time, or the job has ended without them
  3: binary classes,        // 16 bits a row, little endian: indices from 0
  4: binary probabilities,  // of these classes, 32-bit floats, little endian
  5: bool ended             // the job has, and no predictions follow these
}

/** Gives the batches of a prediction job that no node has yet another size. May be sent again. */
struct SetBatchRowsRequest {
  1: string job_id,
  2: i32 batch_rows   // as in PredictionPlan
}

struct SetBatchRowsResponse {
  1: string job_id    // echo
}

/** Of durations, in seconds. Quantiles are within 2 %. */
struct DurationStatistics {
  1: double mean,
  2: double sd,     // standard deviation of a sample
  3: double p50,
  4: double p90,
  5: double p95,
  6: double p99
}

/** Of queries that were answered. */
struct QueryStatistics {
  1: i64 queries,
  2: i64 rows,
  3: double seconds,              // from when the first one came to the last answer
  4: double queries_per_second,   // over the last 10 s, or since the first one came
  5: double rows_per_second,      // likewise
  6: DurationStatistics queue,    // from when it could go to a node until it went
  7: DurationStatistics compute,  // as the node measured it
  8: DurationStatistics total     // from when it could go to a node to the answer
}

struct JobStatisticsRequest {
  1: string job_id
}

/** Its queries are its tasks. */
struct JobStatisticsResponse {
  1: string job_id,                   // echo
  2: JobState state,
  3: bool predicts,                   // a prediction job, not one that trains
  4: optional QueryStatistics tasks   // since the coordinator's start or, of a job that has ended,
                                      // since the start before its end; absent: not kept
}

/** Deletes a job that has ended, and what only it needed. */
struct DeleteJobRequest {
  1: string job_id
}

struct DeleteJobResponse {
  1: string job_id  // echo
}

/** Applies the retention rule: ended jobs beyond those to keep, and files that no job needs. */
struct CollectGarbageRequest {
  1: bool dry_run,      // tell, and remove nothing
  2: i32 keep_jobs,     // newest ended jobs to keep; -1: as the coordinator was told
  3: i64 keep_for_ms    // ended jobs younger than this stay; -1: as the coordinator was told
}

struct CollectGarbageResponse {
  1: list<string> jobs,   // removed, oldest first
  2: list<string> files,  // removed, by their names in the state folder
  3: i64 bytes            // of all these files
}

/** A number or choice of a recipe of training. */
struct NamedValue {
  1: string name,
  2: string value
}

/** The validation error of one round. */
struct RoundError {
  1: i32 round,    // from 1
  2: double error  // share of validation rows whose class was wrong
}

/** Rows of one class that a model put in another, or in their own. */
struct ConfusionCount {
  1: i32 label,      // what they are
  2: i32 predicted,  // what the model says
  3: i64 rows        // at least 1
}

/** A confusion matrix over the validation rows. */
struct Confusion {
  1: i32 classes,
  2: list<ConfusionCount> counts  // above 0 only, ascending by label and predicted
}

/** One version of a named model. */
struct ModelVersion {
  1: string model,
  2: i64 version,                       // from 1
  3: common.BlobRef file,               // the model file (safetensors), for getBlob
  4: common.Digest parameters,          // of the file's data section
  5: list<i32> units,                   // of each layer, from the features to the classes
  6: string activation,                 // relu, tanh, sigmoid or ml-py
  7: string precision,                  // float or double
  8: bool standardized,                 // the file has a mean and a deviation of each feature
  9: list<string> labels,               // of the classes, in order of their index
  10: string job,                       // empty: imported
  11: common.Digest job_digest,         // zero if imported
  12: common.Digest data_digest,        // over the training shards' digests, in order; zero: unknown
  13: list<NamedValue> rule,            // of the training
  14: i64 seed,                         // its 64 bits
  15: i32 round,                        // whose weights these are; 0: unknown
  16: list<RoundError> errors,          // of validated rounds, ascending
  17: optional double validation_error, // of `round`
  18: optional Confusion confusion,     // likewise
  19: i64 created_ms                    // since 1970
}

/** An alias, and the version that it stands for. */
struct ModelAlias {
  1: string alias_name,
  2: i64 version
}

/** One entry of the history of a model's aliases. */
struct AliasMove {
  1: i64 time_ms,       // since 1970
  2: string alias_name,      // empty for a deletion
  3: i64 from_version,  // 0: none
  4: i64 to_version,    // likewise
  5: string change      // registered, promoted, forced, rolled_back or deleted
}

/** What a list of models shows of one version. */
struct ModelSummary {
  1: string model,
  2: i64 version,
  3: list<string> aliases,              // that stand for it
  4: i32 versions,                      // of the model
  5: optional double validation_error,
  6: string topology,                   // 16-24-26
  7: string optimizer,                  // empty: unknown
  8: string job,                        // empty: imported
  9: i64 created_ms                     // since 1970
}

struct ListModelsRequest {
  1: string model  // its versions; empty: the champion of each model
}

struct ListModelsResponse {
  1: list<ModelSummary> models  // by name, or newest first
}

struct GetModelRequest {
  1: string reference  // NAME, NAME@VERSION or NAME@ALIAS
}

struct GetModelResponse {
  1: ModelVersion version,
  2: list<ModelAlias> aliases,  // of the model, by name
  3: list<AliasMove> history    // of the model, oldest first
}

struct ModelStatisticsRequest {
  1: string reference  // NAME, NAME@VERSION or NAME@ALIAS
}

/** Of one version, since the coordinator's start. */
struct ModelStatisticsResponse {
  1: string model,
  2: i64 version,
  3: QueryStatistics requests,  // for predictions at once
  4: QueryStatistics batches    // of prediction jobs
}

/** Registers a model file that was put. A file that was imported before is the same version. */
struct ImportModelRequest {
  1: string model,
  2: common.BlobRef file
}

struct ImportModelResponse {
  1: string model,  // echo
  2: i64 version
}

/** Points an alias at a version. */
struct PromoteModelRequest {
  1: string reference,  // NAME@VERSION or NAME@ALIAS
  2: string alias_name,      // champion, or any other
  3: bool force         // even if its validation error is not lower than the present one's
}

struct PromoteModelResponse {
  1: string reference,         // echo
  2: optional AliasMove move   // none: it stood for that version already
}

/** Points an alias at the version that it stood for before. */
struct RollbackModelRequest {
  1: string model,
  2: string alias_name,
  3: i64 from_version   // that it stands for; another one, and the call was made before
}

struct RollbackModelResponse {
  1: string model,     // echo
  2: AliasMove move
}

struct DeleteModelRequest {
  1: string model,
  2: i64 version   // 0: all of them
}

struct DeleteModelResponse {
  1: string model  // echo
}

/** How a node stands. */
enum NodeState { UNKNOWN = 0, ALIVE = 1, SUSPECT = 2, FAILED = 3, LEFT = 4 }

/** Who told the coordinator of a node. */
enum NodeSource { UNKNOWN = 0, LISTED = 1, JOINED = 2, ADDED = 3 }

/** A task that a node has. */
struct NodeTask {
  1: string job_id,
  2: bool predicts,          // the job is a prediction job
  3: i32 round,              // from 1
  4: i32 shard,              // of the round, from 0; of a prediction job the batch
  5: bool begun,             // the node has said so; else it was offered the task
  6: i64 offered_ms_ago
}

struct NodeStatus {
  1: string node,              // host:port
  2: NodeState state,
  3: NodeSource source,        // the node list, the node itself, or a client
  4: string trouble,           // why it takes no tasks, if so, for people
  5: string incarnation,       // of the process that was last heard of
  6: i32 slots,
  7: i32 running,              // offers out
  8: i64 heard_ms_ago,         // -1: never
  9: i64 uptime_ms,            // of its process
  10: i64 tasks,               // results that counted
  11: i64 refused,             // offers refused by simulated load
  12: i64 failed,              // offers that ended in a fault of the node
  13: i64 copies,              // offers that doubled those of a straggler
  14: i64 heartbeats_missed,
  15: i64 false_suspicions,    // it was suspect or failed, and the same process came back
  16: i64 bytes_sent,          // to the node, since the coordinator's start
  17: i64 bytes_received,      // from the node, likewise
  18: i64 member_since_ms,     // since 1970; at the earliest the coordinator's start
  19: i64 answered_ms_ago,     // a task with a result that counted, or predictions; -1: never
  20: list<NodeTask> doing     // the tasks that it has now
}

/** A node announces itself, again until it is acknowledged. */
struct JoinRequest {
  1: string host,          // where the coordinator reaches it
  2: i32 port,
  3: string incarnation    // as in its hello
}

struct JoinResponse {
  1: bool accepted,
  2: string message,         // why not, for people
  3: string coordinator_id   // whose heartbeats will come
}

struct AddNodeRequest {
  1: string host,
  2: i32 port
}

struct AddNodeResponse {
  1: NodeStatus node
}

/** Takes a node out: it finishes what it does and gets no more. */
struct RemoveNodeRequest {
  1: string host,
  2: i32 port,
  3: i32 wait_ms   // for its tasks, at most 1000
}

struct RemoveNodeResponse {
  1: NodeStatus node
}

struct ListNodesRequest {
}

struct ListNodesResponse {
  1: list<NodeStatus> nodes  // in order of arrival
}

/** Whose faults are meant. */
enum FaultScope { UNKNOWN = 0, NODE = 1, ALL_NODES = 2, COORDINATOR = 3 }

/** Why a process did not do as it was told. */
enum FaultProblem {
  UNKNOWN = 0,
  NONE = 1,
  NOT_ENABLED = 2,  // it was not started with --enable-fault-injection
  UNREACHABLE = 3   // the node does not answer
}

/** The faults of one process. */
struct FaultReport {
  1: string server,           // host:port of the node, or "coordinator"
  2: FaultProblem problem,
  3: string message,          // what the problem is, for people
  4: common.FaultState state  // if there is none
}

/** Replaces all faults that a process injects; settings without any clear them. */
struct SetFaultsRequest {
  1: FaultScope scope,
  2: string host,                  // NODE
  3: i32 port,                     // NODE
  4: common.FaultSettings faults   // COORDINATOR: neither corrupt nor slow
}

struct SetFaultsResponse {
  1: list<FaultReport> reports  // of all processes meant, in order of arrival
}

struct ListFaultsRequest {
}

struct ListFaultsResponse {
  1: list<FaultReport> reports  // nodes in order of arrival, then the coordinator
}

/** What a model takes and says. */
struct ServedModelRequest {
  1: string model  // NAME, NAME@VERSION or NAME@ALIAS
}

struct ServedModelResponse {
  1: string model,         // its name
  2: i32 version,
  3: i32 features,         // of a row
  4: list<string> labels,  // the original label of each class
  5: common.BlobRef file   // the model file (safetensors)
}

/** Asks for the classes of rows. May be sent again: it changes nothing. */
struct PredictRequest {
  1: string model,      // as in ServedModelRequest
  2: common.Rows rows
}

struct PredictResponse {
  1: string model,          // whose answer this is
  2: i32 version,
  3: binary classes,        // 16 bits a row, little endian: indices from 0
  4: binary probabilities,  // of these classes, 32-bit floats, little endian
  5: i64 queue_ns,          // waited for a node, perhaps together with other requests
  6: i64 compute_ns         // in the node's kernel, for all that were sent together
}

service CoordinatorService {
  common.HelloResponse hello(1: common.HelloRequest request)
      throws (1: common.InvalidRequest invalid, 5: common.NotAllowed refused),
  SubmitJobResponse submitJob(1: SubmitJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable, 5: common.NotAllowed refused),
  JobStatus followJob(1: FollowJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  ControlJobResponse controlJob(1: ControlJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  ListJobsResponse listJobs(1: ListJobsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              5: common.NotAllowed refused),
  GetJobResponse getJob(1: GetJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 5: common.NotAllowed refused),
  ExplainJobResponse explainJob(1: ExplainJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 5: common.NotAllowed refused),
  SetSchedulingResponse setScheduling(1: SetSchedulingRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable, 5: common.NotAllowed refused),
  GetSchedulingResponse getScheduling(1: GetSchedulingRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              5: common.NotAllowed refused),
  JobLogsResponse jobLogs(1: JobLogsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  JobPredictionsResponse jobPredictions(1: JobPredictionsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  SetBatchRowsResponse setBatchRows(1: SetBatchRowsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  JobStatisticsResponse jobStatistics(1: JobStatisticsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 5: common.NotAllowed refused),
  DeleteJobResponse deleteJob(1: DeleteJobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  CollectGarbageResponse collectGarbage(1: CollectGarbageRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable, 5: common.NotAllowed refused),
  ListModelsResponse listModels(1: ListModelsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 5: common.NotAllowed refused),
  GetModelResponse getModel(1: GetModelRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 5: common.NotAllowed refused),
  ModelStatisticsResponse modelStatistics(1: ModelStatisticsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 5: common.NotAllowed refused),
  ImportModelResponse importModel(1: ImportModelRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              4: common.Unavailable unavailable, 5: common.NotAllowed refused),
  PromoteModelResponse promoteModel(1: PromoteModelRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  RollbackModelResponse rollbackModel(1: RollbackModelRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  DeleteModelResponse deleteModel(1: DeleteModelRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  JoinResponse join(1: JoinRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable, 5: common.NotAllowed refused),
  AddNodeResponse addNode(1: AddNodeRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable, 5: common.NotAllowed refused),
  RemoveNodeResponse removeNode(1: RemoveNodeRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  ListNodesResponse listNodes(1: ListNodesRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              5: common.NotAllowed refused),
  SetFaultsResponse setFaults(1: SetFaultsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 5: common.NotAllowed refused),
  ListFaultsResponse listFaults(1: ListFaultsRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              5: common.NotAllowed refused),
  common.PutBlobResponse putBlob(1: common.PutBlobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.Unavailable unavailable, 5: common.NotAllowed refused),
  common.GetBlobResponse getBlob(1: common.GetBlobRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 5: common.NotAllowed refused),
  ServedModelResponse servedModel(1: ServedModelRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused),
  PredictResponse predict(1: PredictRequest request)
      throws (1: common.InvalidRequest invalid, 2: common.Internal internal,
              3: common.NotFound missing, 4: common.Unavailable unavailable,
              5: common.NotAllowed refused)
}
