#include "client/commands/job_scheduling.h"

#include <ostream>

#include <nlohmann/json.hpp>

#include "client/commands/job_reference.h"
#include "client/report/explanation_table.h"
#include "client/report/json_output.h"
#include "program/exit_code.h"

namespace gradmill::client {

int run(const SchedulingRequest& request, CoordinatorLink& link, Console console) {
  if (request.mode) {
    link.set_scheduling(*request.mode);
  }
  const SchedulingMode mode = request.mode ? *request.mode : link.scheduling();
  if (request.format == Format::kJson) {
    write_json(console.out, {{"scheduling", name_of(mode)}});
  } else {
    console.out << "scheduling: " << name_of(mode) << '\n' << std::flush;
  }
  return program::kSucceeded;
}

int show_explanation(const ShowJobRequest& request, CoordinatorLink& link, const Console& console) {
  write_explanation(console.out, link.explain(job_called(request.job, link)), request.format);
  return program::kSucceeded;
}

}  // namespace gradmill::client
