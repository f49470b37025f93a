#include "wire/task_convert.h"

#include <memory>
#include <utility>

#include "wire/wire_convert.h"

namespace gradmill::wire {
namespace {

constexpr std::size_t kJobIdMax = 64;
constexpr std::size_t kMessageMax = 500;

constexpr EnumTable<gradmill::TaskState, TaskState::type, 9> kStates = {{
    {gradmill::TaskState::kRunning, TaskState::RUNNING},
    {gradmill::TaskState::kDone, TaskState::DONE},
    {gradmill::TaskState::kRefused, TaskState::REFUSED},
    {gradmill::TaskState::kMissing, TaskState::MISSING},
    {gradmill::TaskState::kBusy, TaskState::BUSY},
    {gradmill::TaskState::kFailed, TaskState::FAILED},
    {gradmill::TaskState::kCancelled, TaskState::CANCELLED},
    {gradmill::TaskState::kNotFound, TaskState::NOT_FOUND},
    {gradmill::TaskState::kDiverged, TaskState::DIVERGED},
}};

}  // namespace

TaskId to_wire(const gradmill::TaskId& task) {
  TaskId to;
  to.job_id = task.job;
  to.round = static_cast<std::int32_t>(task.round);
  to.shard = static_cast<std::int32_t>(task.shard);
  to.offer = static_cast<std::int64_t>(task.offer);
  return to;
}

gradmill::TaskId task_from(const TaskId& task) {
  if (task.job_id.empty() || task.job_id.size() > kJobIdMax) {
    throw invalid_input("the job's id is missing or too long");
  }
  return {.job = task.job_id,
          .round = unsigned_from<std::uint32_t>(task.round, "the round"),
          .shard = unsigned_from<std::uint32_t>(task.shard, "the shard"),
          .offer = unsigned_from<std::uint64_t>(task.offer, "the offer")};
}

std::uint32_t rounds_from(const RunTaskRequest& request) {
  const auto rounds = unsigned_from<std::uint32_t>(request.rounds, "the number of rounds");
  if (request.task.round < 1 || request.task.round > request.rounds) {
    throw invalid_input("the round of the task is none of its job's");
  }
  return rounds;
}

LoadRule::type to_wire(gradmill::LoadRule rule) {
  return rule == gradmill::LoadRule::kDelay ? LoadRule::DELAY : LoadRule::REFUSE_OR_DELAY;
}

gradmill::LoadRule load_rule_from(LoadRule::type rule) {
  if (rule != LoadRule::DELAY && rule != LoadRule::REFUSE_OR_DELAY) {
    throw invalid_input("the load rule is unknown");
  }
  return rule == LoadRule::DELAY ? gradmill::LoadRule::kDelay : gradmill::LoadRule::kRefuseOrDelay;
}

TaskResponse to_wire(const gradmill::TaskAnswer& answer) {
  TaskResponse response;
  response.task = to_wire(answer.task);
  response.state = to_wire(answer.state, kStates);
  for (const gradmill::Digest& digest : answer.missing) {
    response.missing.push_back(to_wire(digest));
  }
  response.weights = to_wire(answer.weights);
  response.delta = to_wire(answer.delta);
  if (answer.delta_bytes != nullptr && answer.delta_bytes->size() <= kInlineBytesMax) {
    response.__set_delta_data(*answer.delta_bytes);
    response.delta_checksum = static_cast<std::int64_t>(answer.delta_checksum);
  }
  response.loss = answer.loss;
  response.epochs = static_cast<std::int32_t>(answer.epochs);
  response.compute_seconds = answer.compute_seconds;
  response.delay_seconds = answer.delay_seconds;
  response.message = answer.message.substr(0, kMessageMax);
  return response;
}

gradmill::TaskAnswer answer_from(TaskResponse&& response) {
  gradmill::TaskAnswer answer;
  answer.task = task_from(response.task);
  answer.state = enum_from(response.state, kStates, "the state of the task");
  for (const std::string& digest : response.missing) {
    answer.missing.push_back(digest_from(digest, "a missing blob"));
  }
  if (answer.state == gradmill::TaskState::kDone) {
    answer.weights = digest_from(response.weights, "the weights");
    answer.delta = blob_from(response.delta, "the delta");
    if (response.__isset.delta_data) {
      answer.delta_bytes = std::make_shared<const std::string>(std::move(response.delta_data));
      answer.delta_checksum = static_cast<std::uint64_t>(response.delta_checksum);
    }
    answer.loss = response.loss;
    answer.epochs = unsigned_from<std::uint32_t>(response.epochs, "the number of epochs");
    answer.compute_seconds = response.compute_seconds;
    answer.delay_seconds = response.delay_seconds;
  }
  answer.message = message_from(response.message).substr(0, kMessageMax);
  return answer;
}

}  // namespace gradmill::wire
