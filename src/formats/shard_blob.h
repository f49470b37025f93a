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

/// A shard blob as it lies: views of its bytes.
struct ShardView {
  std::uint32_t rows = 0;
  std::uint32_t features = 0;
  std::uint32_t classes = 0;
  bool has_floats = false;
  std::string_view values;  ///< Row-major.
  std::string_view labels;  ///< 16 bits each.
};

/// The parts of a blob that decode_shard() accepts. Throws Error(kInvalidInput) if sizes disagree;
/// looks at no value.
[[nodiscard]] ShardView view_shard(std::string_view bytes);

/// The shard in `bytes`. Throws Error(kInvalidInput) unless every byte is as encode_shard writes
/// it: sizes within caps and equal to the file's, classes exactly the largest label + 1, finite
/// features. Allocates nothing before the sizes are checked.
[[nodiscard]] ml::Shard decode_shard(std::string_view bytes);

}  // namespace gradmill::formats
