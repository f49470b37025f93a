#include "client/commands/commands.h"

#include <variant>

#include "client/commands/fault_commands.h"
#include "client/commands/garbage_command.h"
#include "client/commands/job_commands.h"
#include "client/commands/job_control.h"
#include "client/commands/job_following.h"
#include "client/commands/job_logs.h"
#include "client/commands/job_scheduling.h"
#include "client/commands/model_commands.h"
#include "client/commands/node_commands.h"
#include "client/commands/predict_command.h"
#include "client/commands/prediction_job.h"
#include "client/commands/statistics_commands.h"
#include "client/commands/training_command.h"

namespace gradmill::client {

int run(const Request& request, CoordinatorLink& link, Console console) {
  return std::visit([&](const auto& one) { return run(one, link, console); }, request);
}

}  // namespace gradmill::client
