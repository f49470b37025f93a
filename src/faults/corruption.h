// Results that are wrong on purpose, each in a way that their receiver must notice.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/task.h"

namespace gradmill::faults {

/// How a result is spoiled.
enum class CorruptionKind {
  kFlippedBit,  ///< Of the delta, after its checksum was made.
  kNotFinite,   ///< An element of the delta, with a checksum that fits.
  kWrongSize,   ///< The delta lacks a byte, with a checksum that fits.
  kStale,       ///< It names the round before.
};

/// What is done to one result.
struct Corruption {
  CorruptionKind kind = CorruptionKind::kFlippedBit;
  double position = 0;  ///< Of the bit, in [0, 1): from the first to the last.
};

/// Spoils a finished task's answer. A delta that is too large to travel in it is only announced
/// here: false if the bytes themselves are to be spoiled where they are fetched.
[[nodiscard]] bool corrupt(TaskAnswer& answer, const Corruption& corruption);

/// Flips the bit at `position` of a text that is not empty.
void flip_bit(std::string& bytes, double position);

}  // namespace gradmill::faults
