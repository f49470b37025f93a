#include "client/commands/garbage_command.h"

#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/table.h"
#include "client/report/text.h"
#include "program/exit_code.h"

namespace gradmill::client {

int run(const CollectGarbageRequest& request, CoordinatorLink& link, Console console) {
  const Garbage garbage = link.collect_garbage(request.dry_run, request.rule);
  if (request.format == Format::kJson) {
    write_json(console.out,
               {{"dry_run", request.dry_run},
                {"jobs", garbage.jobs},
                {"files", garbage.files},
                {"bytes", garbage.bytes}});
    return program::kSucceeded;
  }
  std::string text;
  for (const std::string& job : garbage.jobs) {
    text += "job " + shown(job) + '\n';
  }
  for (const std::string& file : garbage.files) {
    text += "file " + shown(file) + '\n';
  }
  text += request.dry_run ? "would delete " : "deleted ";
  text += std::to_string(garbage.jobs.size()) + " jobs and " +
          std::to_string(garbage.files.size()) + " files, " + bytes_text(garbage.bytes) + '\n';
  console.out << text << std::flush;
  return program::kSucceeded;
}

}  // namespace gradmill::client
