// What the user asks of the client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "ml/server_optimizer.h"
#include "ml/training_rule.h"

namespace gradmill::client {

enum class Format { kText, kJson };

/// Whether features are brought to mean 0 and deviation 1.
enum class Standardize {
  kNo,
  kByPreset,  ///< Unless the job starts from a model that does not.
  kAsked,     ///< By the user: an error if the job starts from a model that does not.
};

/// Train on a folder of data, follow the job to its end, show the result.
struct TrainRequest {
  Address coordinator;
  std::string folder;
  std::string job;  ///< The id; random unless the user chose one.
  std::uint32_t rounds = 0;
  std::uint32_t validate_every = 1;   ///< Rounds from one validation to the next.
  std::uint32_t early_stop = 0;       ///< Rounds without a lower error; 0: never.
  std::vector<std::uint32_t> hidden;  ///< Units of the hidden layers.
  ml::TrainingRule rule;              ///< All but what needs the data: topology, standardization.
  ml::ServerRule server;
  Standardize standardize = Standardize::kNo;
  std::optional<std::uint32_t> classes;
  Format format = Format::kText;
  std::string timing;     ///< Where the timing goes; empty: nowhere.
  std::string output;     ///< Where the model goes; empty: nowhere.
  std::string init_from;  ///< The model to start from; empty: the seed.
  bool wait = true;       ///< Follow the job to its end.
};

/// Follow a job that is already there.
struct FollowRequest {
  Address coordinator;
  std::string job;
  Format format = Format::kText;
};

/// Cancel a job.
struct CancelRequest {
  Address coordinator;
  std::string job;
  Format format = Format::kText;
};

using Request = std::variant<TrainRequest, FollowRequest, CancelRequest>;

/// Reads the words after the program's name; nothing if help or the version was asked for. Throws
/// Error(kInvalidInput) that names the argument and its value.
[[nodiscard]] std::optional<Request> parse_request(const std::vector<std::string>& words);

}  // namespace gradmill::client
