// Reads what happened to jobs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <soci/soci.h>

#include "protocol/job_event.h"
#include "protocol/job_status.h"

namespace gradmill::coordinator {

/// Reads what happened to jobs while a Database of the same file is written to. For one thread.
class DatabaseReader {
 public:
  explicit DatabaseReader(const std::string& path);
  /// Rounds `after` + 1 to `last` with their tasks; those whose checksum is wrong are left out.
  [[nodiscard]] std::map<std::uint32_t, RoundReport> rounds(std::uint64_t job,
                                                            std::uint32_t after,
                                                            std::uint32_t last);
  /// At most `limit` events after `after`, likewise.
  [[nodiscard]] std::vector<JobEvent> events(std::uint64_t job,
                                             std::uint64_t after,
                                             std::uint32_t limit);

 private:
  soci::session session_;
};

}  // namespace gradmill::coordinator
