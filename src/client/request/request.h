// What the user asks of the client.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/tls_files.h"
#include "ml/server_optimizer.h"
#include "ml/training_rule.h"
#include "protocol/fault_settings.h"
#include "protocol/garbage.h"
#include "protocol/job_share.h"
#include "protocol/job_status.h"

namespace gradmill::client {

enum class Format { kText, kJson };

/// Whether features are brought to mean 0 and deviation 1.
enum class Standardize {
  kNo,
  kByPreset,  ///< Unless the job starts from a model that does not.
  kAsked,     ///< By the user: an error if the job starts from a model that does not.
};

/// What every request says.
struct CommonRequest {
  Address coordinator;
  std::optional<TlsFiles> tls;  ///< Absent: the coordinator is called without TLS.
  Format format = Format::kText;
  /// How long to go on trying when a coordinator that was reached once does not answer; 0: not.
  std::chrono::milliseconds reconnect_timeout{60'000};
};

/// How many shards a late round must have.
struct Quorum {
  std::uint32_t shards = 0;  ///< 0: as the share says.
  double share = 0;          ///< Of all shards, rounded up; in (0, 1].
};

/// Train on a folder of data, follow the job to its end, show the result.
struct TrainRequest : CommonRequest {
  std::string folder;
  std::string job;  ///< The id; random unless the user chose one.
  std::uint32_t rounds = 0;
  std::uint32_t validate_every = 1;  ///< Rounds from one validation to the next.
  std::uint32_t early_stop = 0;      ///< Rounds without a lower error; 0: never.
  std::optional<Quorum> quorum;      ///< Absent: each round has all shards.
  std::chrono::milliseconds round_deadline{0};
  std::vector<std::uint32_t> hidden;  ///< Units of the hidden layers.
  ml::TrainingRule rule;              ///< All but what needs the data: topology, standardization.
  ml::ServerRule server;
  Standardize standardize = Standardize::kNo;
  std::optional<std::uint32_t> classes;
  std::string timing;     ///< Where the timing goes; empty: nowhere.
  std::string output;     ///< Where the model goes; empty: nowhere.
  std::string init_from;  ///< The model file to start from; empty: the seed.
  std::string model;      ///< What the result is registered as; empty: as the folder is called.
  JobShare share;         ///< Of the nodes, with other jobs.
  bool wait = true;       ///< Follow the job to its end.
};

/// Predict the rows of a file by a model, follow the job to its end.
struct PredictFileRequest : CommonRequest {
  std::string model;  ///< NAME, NAME@VERSION or NAME@ALIAS.
  std::string file;
  bool labelled = false;                    ///< The last column is a label.
  std::optional<std::uint32_t> batch_rows;  ///< Absent: as many as suit.
  std::string job;                          ///< The id; random unless the user chose one.
  std::string output;                       ///< Where the predictions go; empty: nowhere.
  JobShare share;                           ///< Of the nodes, with other jobs.
  bool wait = true;                         ///< Follow the job to its end.
};

/// What stands for the newest job wherever the id of one does.
inline constexpr std::string_view kLatestJob = "latest";

/// In all requests below, a job is named by its id, or `latest`.
struct FollowJobRequest : CommonRequest {
  std::string job;
};

struct ListJobsRequest : CommonRequest {
  std::uint32_t limit = 0;  ///< The newest so many; 0: all.
};

struct ShowJobRequest : CommonRequest {
  std::string job;
  bool explain = false;  ///< Which node has what of it, and why the others do not, instead.
  bool profile = false;  ///< Where its time went, instead.
  std::string plot;      ///< Where a plot of the profile goes; empty: nowhere.
};

/// How jobs share the nodes.
struct SchedulingRequest : CommonRequest {
  std::optional<SchedulingMode> mode;  ///< Absent: it is only shown.
};

struct JobStatsRequest : CommonRequest {
  std::string job;
};

struct JobLogsRequest : CommonRequest {
  std::string job;
  bool follow = false;  ///< Go on until the job has ended.
};

struct ControlJobRequest : CommonRequest {
  std::string job;
  JobCommand command = JobCommand::kCancel;
};

/// Write the model of a job that has ended, or the predictions of one.
struct JobOutputRequest : CommonRequest {
  std::string job;
  std::string output;  ///< Empty: stdout, which is for predictions.
};

/// Change a prediction job while it runs.
struct SetJobRequest : CommonRequest {
  std::string job;
  std::uint32_t batch_rows = 0;
};

struct DeleteJobRequest : CommonRequest {
  std::string job;
};

struct CollectGarbageRequest : CommonRequest {
  bool dry_run = false;
  std::optional<Retention> rule;  ///< Absent: the coordinator's own.
};

/// In the requests below, a model is named NAME, NAME@VERSION or NAME@ALIAS.
struct ListModelsRequest : CommonRequest {
  std::string model;  ///< A name: its versions; empty: the champion of each model.
};

struct ShowModelRequest : CommonRequest {
  std::string model;
};

struct ModelStatsRequest : CommonRequest {
  std::string model;
};

struct ExportModelRequest : CommonRequest {
  std::string model;
  std::string output;
};

struct ImportModelRequest : CommonRequest {
  std::string file;
  std::string model;                         ///< A name.
  std::optional<ml::Activation> activation;  ///< Of a file that does not say it.
};

struct PromoteModelRequest : CommonRequest {
  std::string model;
  std::string alias;
  bool force = false;
};

struct RollBackModelRequest : CommonRequest {
  std::string model;  ///< A name.
  std::string alias;
};

struct DeleteModelRequest : CommonRequest {
  std::string model;          ///< A name.
  std::uint32_t version = 0;  ///< 0: all of them.
};

struct ListNodesRequest : CommonRequest {
  bool tasks = false;  ///< What each works on, instead.
};

struct NodeStatsRequest : CommonRequest {
  std::optional<Address> node;  ///< Absent: all.
};

struct JoinNodeRequest : CommonRequest {
  Address node;
};

struct LeaveNodeRequest : CommonRequest {
  Address node;
};

struct SetFaultsRequest : CommonRequest {
  FaultTarget target;
  FaultSettings faults;
};

struct ClearFaultsRequest : CommonRequest {
  FaultTarget target;
};

struct ListFaultsRequest : CommonRequest {};

/// Say the classes of rows: of one, of a file, or of stdin.
struct PredictRequest : CommonRequest {
  std::string model;
  std::optional<std::string> row;
  std::optional<std::string> file;
  bool labelled = false;  ///< The last column is a label.
};

using Request = std::variant<TrainRequest,
                             PredictFileRequest,
                             FollowJobRequest,
                             ListJobsRequest,
                             ShowJobRequest,
                             SchedulingRequest,
                             JobStatsRequest,
                             JobLogsRequest,
                             ControlJobRequest,
                             JobOutputRequest,
                             SetJobRequest,
                             DeleteJobRequest,
                             CollectGarbageRequest,
                             ListModelsRequest,
                             ShowModelRequest,
                             ModelStatsRequest,
                             ExportModelRequest,
                             ImportModelRequest,
                             PromoteModelRequest,
                             RollBackModelRequest,
                             DeleteModelRequest,
                             ListNodesRequest,
                             NodeStatsRequest,
                             JoinNodeRequest,
                             LeaveNodeRequest,
                             SetFaultsRequest,
                             ClearFaultsRequest,
                             ListFaultsRequest,
                             PredictRequest>;

/// Reads the words after the program's name; nothing if help or the version was asked for. Throws
/// Error(kInvalidInput) that names the argument and its value, and program::Completion if that was
/// asked for.
[[nodiscard]] std::optional<Request> parse_request(const std::vector<std::string>& words);

}  // namespace gradmill::client
