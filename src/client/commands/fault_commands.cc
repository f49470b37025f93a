#include "client/commands/fault_commands.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "client/report/fault_table.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

int set(const FaultTarget& target,
        const FaultSettings& faults,
        Format format,
        CoordinatorLink& link,
        Console console) {
  const std::vector<FaultReport> reports = link.set_faults(target, faults);
  const auto failed = std::find_if(reports.begin(), reports.end(), [](const FaultReport& report) {
    return report.problem != FaultProblem::kNone;
  });
  if (failed == reports.end()) {
    write_faults(console.out, reports, format);
    return program::kSucceeded;
  }
  const ErrorCode code = failed->problem == FaultProblem::kNotEnabled ? ErrorCode::kNotAllowed
                                                                      : ErrorCode::kUnreachable;
  if (reports.size() == 1) {
    throw Error(code, failed->message);
  }
  write_faults(console.out, reports, format);
  return program::exit_code_of(code);
}

}  // namespace

int run(const SetFaultsRequest& request, CoordinatorLink& link, Console console) {
  return set(request.target, request.faults, request.format, link, console);
}

int run(const ClearFaultsRequest& request, CoordinatorLink& link, Console console) {
  return set(request.target, {}, request.format, link, console);
}

int run(const ListFaultsRequest& request, CoordinatorLink& link, Console console) {
  write_faults(console.out, link.faults(), request.format);
  return program::kSucceeded;
}

}  // namespace gradmill::client
