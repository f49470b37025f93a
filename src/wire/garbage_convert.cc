#include "wire/garbage_convert.h"

#include "wire/wire_convert.h"

namespace gradmill::wire {

CollectGarbageRequest to_wire(bool dry_run, const std::optional<gradmill::Retention>& rule) {
  CollectGarbageRequest to;
  to.dry_run = dry_run;
  to.keep_jobs = rule ? static_cast<std::int32_t>(rule->jobs) : -1;
  to.keep_for_ms = rule ? rule->age.count() : -1;
  return to;
}

std::optional<gradmill::Retention> retention_from(const CollectGarbageRequest& request) {
  if (request.keep_jobs == -1 && request.keep_for_ms == -1) {
    return std::nullopt;
  }
  if (request.keep_jobs == -1 || request.keep_for_ms == -1) {
    throw invalid_input("the retention rule has either both of its parts or none");
  }
  return gradmill::Retention{
      .jobs = unsigned_from<std::uint32_t>(request.keep_jobs, "the number of jobs to keep"),
      .age = milliseconds_from(request.keep_for_ms, "the time to keep jobs for")};
}

CollectGarbageResponse to_wire(const gradmill::Garbage& garbage) {
  CollectGarbageResponse to;
  to.jobs = garbage.jobs;
  to.files = garbage.files;
  to.bytes = static_cast<std::int64_t>(garbage.bytes);
  return to;
}

gradmill::Garbage garbage_from(const CollectGarbageResponse& response) {
  return {.jobs = response.jobs,
          .files = response.files,
          .bytes = unsigned_from<std::uint64_t>(response.bytes, "the bytes of the files")};
}

}  // namespace gradmill::wire
