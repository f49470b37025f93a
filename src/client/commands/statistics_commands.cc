#include "client/commands/statistics_commands.h"

#include "client/commands/job_reference.h"
#include "client/report/statistics_tables.h"
#include "program/exit_code.h"

namespace gradmill::client {

int run(const JobStatsRequest& request, CoordinatorLink& link, Console console) {
  write_statistics(console.out, link.job_statistics(job_called(request.job, link)), request.format);
  return program::kSucceeded;
}

int run(const ModelStatsRequest& request, CoordinatorLink& link, Console console) {
  write_statistics(console.out, link.model_statistics(request.model), request.format);
  return program::kSucceeded;
}

}  // namespace gradmill::client
