#include "faults/corruption.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/checksum.h"

namespace gradmill::faults {
namespace {

// All its bits set, the last element of either precision is no number.
constexpr std::size_t kElementBytesMax = 8;

void replace_delta(TaskAnswer& answer, std::string delta) {
  answer.delta.bytes = delta.size();
  answer.delta_bytes = std::make_shared<const std::string>(std::move(delta));
}

}  // namespace

void flip_bit(std::string& bytes, double position) {
  if (bytes.empty()) {
    return;
  }
  const std::size_t bits = 8 * bytes.size();
  const auto bit =
      std::min(static_cast<std::size_t>(position * static_cast<double>(bits)), bits - 1);
  bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << bit % 8));
}

bool corrupt(TaskAnswer& answer, const Corruption& corruption) {
  if (corruption.kind == CorruptionKind::kStale) {
    --answer.task.round;
    return true;
  }
  const bool is_inline =
      answer.delta_bytes != nullptr && answer.delta_bytes->size() <= kInlineBytesMax;
  if (!is_inline) {
    if (corruption.kind == CorruptionKind::kWrongSize) {
      --answer.delta.bytes;
    }
    return corruption.kind == CorruptionKind::kWrongSize;
  }
  std::string delta = *answer.delta_bytes;
  switch (corruption.kind) {
    case CorruptionKind::kNotFinite:
      std::fill(delta.end() - static_cast<std::ptrdiff_t>(std::min(delta.size(), kElementBytesMax)),
                delta.end(),
                '\xff');
      answer.delta_checksum = checksum(delta);
      break;
    case CorruptionKind::kWrongSize:
      delta.resize(delta.size() - std::min<std::size_t>(delta.size(), 1));
      answer.delta_checksum = checksum(delta);
      break;
    default:
      flip_bit(delta, corruption.position);
  }
  replace_delta(answer, std::move(delta));
  return true;
}

}  // namespace gradmill::faults
