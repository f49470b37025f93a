// The JSON texts that files and rows of the state folder hold. Each text says all that it says of
// its subject, and a text that is not as written here is damage.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/core/record.h"
#include "protocol/job_event.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// Something stored is not as it was written.
class Damage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What never changes of a job. `number` rises with each submission and is never used again: it
/// tells a job from an earlier one of the same name.
struct Definition {
  std::uint64_t number = 0;
  std::string job;
  std::shared_ptr<const JobSpecification> specification;
  std::vector<std::uint64_t> shard_rows;
  std::int64_t submitted_ms = 0;
  JobShare share{};
  std::string model{};  ///< What its model is called; empty: it is not registered.
};

/// How far a job is; weights are named, without their bytes.
struct Progress {
  JobState state = JobState::kPending;
  JobEnd end;
  std::int64_t ended_ms = 0;
  std::uint32_t round = 0;
  BlobRef weights;
  std::uint32_t best_round = 0;
  double best_error = 0;
  BlobRef best_weights;
  bool exact = true;
  std::map<std::string, NodeTally> tallies;
  std::uint64_t predicted = 0;   ///< Rows of a prediction job, from the first one on.
  std::uint32_t batch_rows = 0;  ///< As in StoredJob.
  std::optional<QueryStatistics> statistics{};  ///< Likewise.
};

// Pure ASCII. The readers throw Damage.
[[nodiscard]] std::string text_of(const Definition& definition);
[[nodiscard]] Definition definition_of(std::string_view text);
[[nodiscard]] std::string text_of(const Progress& progress);
[[nodiscard]] Progress progress_of(std::string_view text);
/// Without the tasks, which have a text of their own.
[[nodiscard]] std::string text_of(const RoundReport& report);
[[nodiscard]] RoundReport report_of(std::string_view text);
[[nodiscard]] std::string text_of(const std::vector<TaskReport>& tasks);
[[nodiscard]] std::vector<TaskReport> tasks_of(std::string_view text);
[[nodiscard]] std::string text_of(const JobEvent& event);
[[nodiscard]] JobEvent event_of(std::string_view text);

}  // namespace gradmill::coordinator
