// The shard blob: the binary form of a shard that travels and is named by its SHA-256.
//
// Little endian: "GMSHARD1" (8 bytes), u32 version (1), u32 rows, u32 features, u32 classes,
// u32 element type (0: u8, 1: f32), u32 zero; then the features [rows, features] row-major, then
// one u16 label a row. Nothing follows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ml/shard.h"

namespace gradmill::formats {

/// Largest number of classes a shard or a job may have.
inline constexpr std::uint32_t kClassesMax = 65'536;

/// The blob of `shard`, whose sizes and classes must agree with its values and labels.
[[nodiscard]] std::string encode_shard(const ml::Shard& shard);

/// The shard in `bytes`. Throws Error(kInvalidInput) unless every byte is as encode_shard writes
/// it: sizes within caps and equal to the file's, classes exactly the largest label + 1, finite
/// features. Allocates nothing before the sizes are checked.
[[nodiscard]] ml::Shard decode_shard(std::string_view bytes);

}  // namespace gradmill::formats
