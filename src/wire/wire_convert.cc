#include "wire/wire_convert.h"

#include <algorithm>
#include <cstring>

#include <wire/common_constants.h>

#include "protocol/specification_check.h"

namespace gradmill::wire {
namespace {

constexpr EnumTable<ml::Activation, Activation::type, 4> kActivations = {{
    {ml::Activation::kRelu, Activation::RELU},
    {ml::Activation::kTanh, Activation::TANH},
    {ml::Activation::kSigmoid, Activation::SIGMOID},
    {ml::Activation::kMlPy, Activation::ML_PY},
}};

constexpr EnumTable<ml::Precision, Precision::type, 2> kPrecisions = {{
    {ml::Precision::kFloat, Precision::FLOAT},
    {ml::Precision::kDouble, Precision::DOUBLE},
}};

constexpr EnumTable<ml::Optimizer, Optimizer::type, 4> kOptimizers = {{
    {ml::Optimizer::kGd, Optimizer::GD},
    {ml::Optimizer::kSgd, Optimizer::SGD},
    {ml::Optimizer::kMomentum, Optimizer::MOMENTUM},
    {ml::Optimizer::kAdam, Optimizer::ADAM},
}};

constexpr EnumTable<ml::Schedule, Schedule::type, 3> kSchedules = {{
    {ml::Schedule::kConstant, Schedule::CONSTANT},
    {ml::Schedule::kCosine, Schedule::COSINE},
    {ml::Schedule::kOneCycle, Schedule::ONE_CYCLE},
}};

}  // namespace

std::string to_wire(const gradmill::Digest& digest) {
  return {digest.bytes.begin(), digest.bytes.end()};
}

gradmill::Digest digest_from(const std::string& bytes, const char* field) {
  gradmill::Digest digest;
  if (bytes.size() != gradmill::Digest::kBytes) {
    throw invalid_input(std::string(field) + " is no digest");
  }
  std::memcpy(digest.bytes.data(), bytes.data(), bytes.size());
  return digest;
}

BlobRef to_wire(const gradmill::BlobRef& blob) {
  BlobRef to;
  to.digest = to_wire(blob.digest);
  to.bytes = static_cast<std::int64_t>(blob.bytes);
  return to;
}

gradmill::BlobRef blob_from(const BlobRef& blob, const char* field) {
  return {digest_from(blob.digest, field), unsigned_from<std::uint64_t>(blob.bytes, field)};
}

TrainingRule to_wire(const ml::TrainingRule& rule) {
  TrainingRule to;
  to.units.assign(rule.topology.units.begin(), rule.topology.units.end());
  to.activation = to_wire(rule.activation, kActivations);
  to.precision = to_wire(rule.precision, kPrecisions);
  to.optimizer = to_wire(rule.optimizer, kOptimizers);
  to.eta = rule.eta;
  to.epochs = static_cast<std::int32_t>(rule.epochs);
  to.min_loss_change = rule.min_loss_change;
  to.seed = static_cast<std::int64_t>(rule.seed);
  to.steps_per_round = static_cast<std::int32_t>(rule.steps_per_round);
  to.batch_size = static_cast<std::int32_t>(rule.batch_size);
  to.momentum = rule.momentum;
  to.weight_decay = rule.weight_decay;
  to.label_smoothing = rule.label_smoothing;
  to.schedule = to_wire(rule.schedule, kSchedules);
  to.mean = rule.standardization.mean;
  to.deviation = rule.standardization.deviation;
  return to;
}

ml::TrainingRule rule_from(const TrainingRule& rule) {
  ml::TrainingRule to;
  if (rule.units.size() > ml::kLayersMax + 1) {
    throw invalid_input("the topology has too many layers");
  }
  for (const std::int32_t units : rule.units) {
    to.topology.units.push_back(unsigned_from<std::uint32_t>(units, "a layer's number of units"));
  }
  to.activation = enum_from(rule.activation, kActivations, "the activation");
  to.precision = enum_from(rule.precision, kPrecisions, "the precision");
  to.optimizer = enum_from(rule.optimizer, kOptimizers, "the optimizer");
  to.eta = rule.eta;
  to.epochs = unsigned_from<std::uint32_t>(rule.epochs, "the number of epochs");
  to.min_loss_change = rule.min_loss_change;
  to.seed = unsigned_from<std::uint64_t>(rule.seed, "the seed");
  to.steps_per_round = unsigned_from<std::uint32_t>(rule.steps_per_round, "the steps per round");
  to.batch_size = unsigned_from<std::uint32_t>(rule.batch_size, "the batch size");
  to.momentum = rule.momentum;
  to.weight_decay = rule.weight_decay;
  to.label_smoothing = rule.label_smoothing;
  to.schedule = enum_from(rule.schedule, kSchedules, "the schedule");
  to.standardization = {rule.mean, rule.deviation};
  check_rule(to);
  return to;
}

Fence to_wire(const gradmill::Fence& fence) {
  Fence to;
  to.coordinator_id = fence.coordinator;
  to.epoch = static_cast<std::int64_t>(fence.epoch);
  return to;
}

gradmill::Fence fence_from(const Fence& fence) {
  if (fence.coordinator_id.empty() || fence.coordinator_id.size() > 64) {
    throw invalid_input("the coordinator's id is missing or too long");
  }
  return {fence.coordinator_id,
          unsigned_from<std::uint64_t>(fence.epoch, "the coordinator's epoch")};
}

std::chrono::milliseconds milliseconds_from(std::int64_t value, const char* field) {
  return std::chrono::milliseconds(time_from(value, field));
}

std::int64_t time_from(std::int64_t value, const char* field) {
  if (value < 0 || value > kMillisecondsMax) {
    throw invalid_input(std::string(field) + " is out of range");
  }
  return value;
}

Address address_from(const std::string& host, std::int32_t port) {
  constexpr std::size_t kHostMax = 253;  // of a name in DNS
  const bool printable = std::all_of(host.begin(), host.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F;
  });
  if (host.empty() || host.size() > kHostMax || !printable) {
    throw invalid_input("the node's host is missing, too long or no name");
  }
  const auto number = unsigned_from<std::uint16_t>(port, "the node's port");
  if (number == 0) {
    throw invalid_input("the node's port is out of range");
  }
  return {host, number};
}

std::string message_from(const std::string& message) {
  constexpr std::size_t kBytesMax = 2'000;
  std::string text = message.substr(0, kBytesMax);
  std::replace_if(
      text.begin(),
      text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      ' ');
  return text;
}

void fill_piece(GetBlobResponse& response, const GetBlobRequest& request, const Blob& blob) {
  constexpr std::int32_t kPieceMax = 4 << 20;
  const auto offset = unsigned_from<std::uint64_t>(request.offset, "the offset");
  if (offset > blob.ref.bytes || request.bytes_max < 1) {
    throw invalid_input("the piece lies outside of the blob");
  }
  response.digest = request.blob.digest;
  response.offset = request.offset;
  response.data =
      blob.bytes->substr(offset, static_cast<std::size_t>(std::min(request.bytes_max, kPieceMax)));
}

void check_version(std::int32_t theirs, const std::string& peer) {
  const std::int32_t ours = g_common_constants.PROTOCOL_VERSION;
  if (theirs != ours) {
    throw invalid_input(peer + " speaks protocol version " + std::to_string(theirs) +
                        ", this program version " + std::to_string(ours) +
                        "; use the same release on both sides");
  }
}

}  // namespace gradmill::wire
