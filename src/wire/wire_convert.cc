#include "wire/wire_convert.h"

#include <algorithm>
#include <cstring>

#include <wire/common_constants.h>

namespace gradmill::wire {

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
  to.activation = rule.activation == ml::Activation::kRelu ? Activation::RELU : Activation::ML_PY;
  to.precision = rule.precision == ml::Precision::kFloat ? Precision::FLOAT : Precision::DOUBLE;
  to.optimizer = Optimizer::GD;
  to.eta = rule.eta;
  to.epochs = static_cast<std::int32_t>(rule.epochs);
  to.min_loss_change = rule.min_loss_change;
  to.seed = static_cast<std::int64_t>(rule.seed);
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
  if (ml::parameter_count(to.topology) == 0) {
    throw invalid_input("the topology breaks a cap");
  }
  if (rule.activation != Activation::RELU && rule.activation != Activation::ML_PY) {
    throw invalid_input("the activation is unknown");
  }
  to.activation =
      rule.activation == Activation::RELU ? ml::Activation::kRelu : ml::Activation::kMlPy;
  if (rule.precision != Precision::FLOAT && rule.precision != Precision::DOUBLE) {
    throw invalid_input("the precision is unknown");
  }
  to.precision =
      rule.precision == Precision::FLOAT ? ml::Precision::kFloat : ml::Precision::kDouble;
  if (rule.optimizer != Optimizer::GD) {
    throw invalid_input("the optimizer is unknown");
  }
  to.eta = rule.eta;
  to.epochs = unsigned_from<std::uint32_t>(rule.epochs, "the number of epochs");
  to.min_loss_change = rule.min_loss_change;
  to.seed = unsigned_from<std::uint64_t>(rule.seed, "the seed");
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
