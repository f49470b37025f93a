// What both services share. Every call takes one Request and returns one Response, and no field is
// ever required, so that fields can be added for ever. The first call on a connection is hello.

namespace cpp gradmill.wire

/** Version of the protocol; raised with every change that an old peer would misread. */
const i32 PROTOCOL_VERSION = 4

/** Who speaks. */
enum Role { UNKNOWN = 0, CLIENT = 1, COORDINATOR = 2, NODE = 3 }

/** Arithmetic of a job. */
enum Precision { UNKNOWN = 0, FLOAT = 1, DOUBLE = 2 }

/** Function of the hidden units. */
enum Activation { UNKNOWN = 0, RELU = 1, ML_PY = 2, TANH = 3, SIGMOID = 4 }

/** How a node moves its weights. */
enum Optimizer {
  UNKNOWN = 0,
  GD = 1,        // one full-batch step an epoch, by the summed gradient
  SGD = 2,       // a step a batch, by the mean gradient
  MOMENTUM = 3,  // SGD with Nesterov momentum
  ADAM = 4       // Adam with decoupled weight decay
}

/** Factor on eta over the whole job. */
enum Schedule { UNKNOWN = 0, CONSTANT = 1, COSINE = 2, ONE_CYCLE = 3 }

/** The request is wrong; sending it again will not help. */
exception InvalidRequest {
  1: string message  // one line for people
}

/** Not now; the same request may succeed later. */
exception Unavailable {
  1: string message  // one line for people
}

/** There is no such job, node or blob. */
exception NotFound {
  1: string message  // one line for people
}

/** The caller is known, and may not do this. */
exception NotAllowed {
  1: string message  // one line for people: who, and what it takes
}

/** The server failed, or cannot do this in its present state. */
exception Internal {
  1: string message  // one line for people; no detail where the failure is a defect
}

/** SHA-256, 32 bytes. */
typedef binary Digest

/** The name of a blob. */
struct BlobRef {
  1: Digest digest,  // SHA-256 of the bytes
  2: i64 bytes       // their number
}

/** First call on each connection. */
struct HelloRequest {
  1: i32 protocol_version,   // PROTOCOL_VERSION of the caller
  2: Role role,              // what the caller is
  3: string program_version  // of the caller, for logs
}

struct HelloResponse {
  1: i32 protocol_version,    // PROTOCOL_VERSION of the server
  2: Role role,               // what the server is
  3: string program_version,  // of the server, for logs
  4: string kernel_id,        // node: kernels with equal ids give equal bits
  5: i32 slots,               // node: tasks it trains at a time
  6: string incarnation       // node: random, new with each start of the process
}

/** Which start of which coordinator sends a request; nodes refuse lower epochs of the same id. */
struct Fence {
  1: string coordinator_id,  // random, lasts as long as the coordinator's state
  2: i64 epoch               // rises with each start of the coordinator
}

/** A piece of a blob; pieces of one blob come in order on one connection, at most 4 MiB each. */
struct PutBlobRequest {
  1: BlobRef blob,  // which blob
  2: i64 offset,    // where this piece starts
  3: binary data,   // the piece
  4: Fence fence    // to nodes only
}

struct PutBlobResponse {
  1: Digest digest,  // echo
  2: i64 received    // bytes of the blob received so far; equal to its size once it is stored
}

struct GetBlobRequest {
  1: BlobRef blob,   // which blob
  2: i64 offset,     // where to start
  3: i32 bytes_max,  // at most this many bytes, themselves at most 4 MiB
  4: Fence fence     // to nodes only
}

struct GetBlobResponse {
  1: Digest digest,  // echo
  2: i64 offset,     // echo
  3: binary data     // the piece
}

/** How a feature travels. */
enum ElementType {
  UNKNOWN = 0,
  BYTE = 1,  // a byte, for integers in 0..255
  FLOAT = 2  // 32 bits, little endian, finite
}

/** Raw features of rows, to be told the classes of. */
struct Rows {
  1: ElementType elements,
  2: i32 rows,       // at least 1
  3: i32 features,   // of a row
  4: binary values   // row by row
}

/** Everything that decides the bits of a delta besides the data. */
struct TrainingRule {
  1: list<i32> units,         // features, hidden units, classes
  2: Activation activation,   // of the hidden units
  3: Precision precision,     // of weights, deltas and arithmetic
  4: Optimizer optimizer,     // from a zero state in each task
  5: double eta,              // step, above 0
  6: i32 epochs,              // passes over the shard a round; 0 where steps_per_round are given
  7: double min_loss_change,  // GD: stop early at this change of the loss or less; 0: never
  8: i64 seed,                // of the initial weights and the order of rows
  9: i32 steps_per_round,     // steps a round; 0 where epochs are given
  10: i32 batch_size,         // rows of a step; 0 for GD
  11: double momentum,        // of MOMENTUM, in [0, 1)
  12: double weight_decay,    // decoupled, 0 or above; 0 for GD
  13: double label_smoothing, // in [0, 1); 0 for GD
  14: Schedule schedule,      // CONSTANT for GD
  15: list<double> mean,      // of each feature; features are used as (x - mean) / deviation
  16: list<double> deviation  // of each feature, above 0; both lists empty: features as they are
}

/** Faults that a process injects into its own work, so that people see what survives. */
struct FaultSettings {
  1: double drop_requests,  // share of calls that end the connection and are not executed
  2: double drop_replies,   // share of calls that are executed, and then end the connection
  3: i32 delay_ms,          // before each call is executed, at most 60,000
  4: double corrupt,        // nodes: share of results that are spoiled
  5: double slow,           // nodes: a task takes so many times as long; 1: as long as it takes
  6: i64 crash_after        // dies as the so manyth task (coordinator: call) begins; 0: never
}

/** How often each fault was injected since the start of the process. */
struct FaultCounts {
  1: i64 drop_requests,  // calls
  2: i64 drop_replies,   // calls
  3: i64 delay,          // calls
  4: i64 corrupt,        // results
  5: i64 slow            // tasks
}

struct FaultState {
  1: FaultSettings faults,  // as they are set now
  2: FaultCounts injected   // by these and by earlier settings
}
