// What happened to a job, as logs and `job logs` tell it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gradmill {

/// One event of one job. Texts that do not apply are empty.
struct JobEvent {
  std::uint64_t sequence = 0;            ///< Rises within the job, from 1.
  std::int64_t time_ms = 0;              ///< Since 1970.
  bool warning = false;                  ///< Something went wrong; else it is information.
  std::string event;                     ///< What: submitted, task_failed, round_finished, ...
  std::optional<std::uint32_t> round;    ///< From 1.
  std::optional<std::uint32_t> shard;    ///< From 0.
  std::optional<std::uint64_t> attempt;  ///< The offer's number.
  std::string node;                      ///< host:port
  std::string reason;                    ///< A code: connection_lost, invalid_result, ...
  std::string message;                   ///< For people.
};

/// A part of a job's log.
struct JobLog {
  std::vector<JobEvent> events;  ///< In order.
  bool ended = false;            ///< The job has, and these are its last events.
};

}  // namespace gradmill
