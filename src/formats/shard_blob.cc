#include "formats/shard_blob.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "ml/topology.h"

namespace gradmill::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

constexpr std::string_view kMagic = "GMSHARD1";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kElementByte = 0;
constexpr std::uint32_t kElementFloat = 1;

/// The numbers after the magic, in file order.
struct Header {
  std::uint32_t version = kVersion;
  std::uint32_t rows = 0;
  std::uint32_t features = 0;
  std::uint32_t classes = 0;
  std::uint32_t element = 0;
  std::uint32_t zero = 0;
};
constexpr std::size_t kHeaderBytes = 32;
static_assert(kMagic.size() + sizeof(Header) == kHeaderBytes);

Error bad(const std::string& why) { return invalid_input("shard blob: " + why); }

std::uint32_t classes_of(const std::vector<std::uint16_t>& labels) {
  return std::uint32_t{*std::max_element(labels.begin(), labels.end())} + 1;
}

template <typename T>
void append(std::string& bytes, const std::vector<T>& values) {
  const std::size_t offset = bytes.size();
  bytes.resize(offset + values.size() * sizeof(T));
  std::memcpy(bytes.data() + offset, values.data(), values.size() * sizeof(T));
}

/// Cuts `count` values off the front of `bytes`, which must hold them.
template <typename T>
std::vector<T> take(std::string_view& bytes, std::size_t count) {
  std::vector<T> values(count);
  std::memcpy(values.data(), bytes.data(), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
  return values;
}

/// The header of `bytes`, once it and the size of `bytes` agree.
Header checked_header(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) {
    throw bad("has " + std::to_string(bytes.size()) + " bytes; the header alone has " +
              std::to_string(kHeaderBytes));
  }
  if (!bytes.starts_with(kMagic)) {
    throw bad("does not start with GMSHARD1");
  }
  Header header;
  std::memcpy(&header, bytes.data() + kMagic.size(), sizeof header);
  if (header.version != kVersion) {
    throw bad("has version " + std::to_string(header.version) + "; only version 1 is known");
  }
  if (header.rows == 0) {
    throw bad("has no rows");
  }
  if (header.features == 0 || header.features > ml::kUnitsMax) {
    throw bad("has " + std::to_string(header.features) + " features; 1 to " +
              std::to_string(ml::kUnitsMax) + " are allowed");
  }
  if (header.classes == 0 || header.classes > kClassesMax) {
    throw bad("has " + std::to_string(header.classes) + " classes; 1 to " +
              std::to_string(kClassesMax) + " are allowed");
  }
  if (header.element > kElementFloat || header.zero != 0) {
    throw bad("has an unknown element type");
  }
  // Rows fit in 32 bits and a row in 19, so this cannot overflow.
  const std::uint64_t row_bytes =
      std::uint64_t{header.features} * (header.element == kElementByte ? 1 : sizeof(float)) +
      sizeof(std::uint16_t);
  const std::uint64_t expected = kHeaderBytes + header.rows * row_bytes;
  if (bytes.size() != expected) {
    throw bad("has " + std::to_string(bytes.size()) + " bytes; its header asks for " +
              std::to_string(expected));
  }
  return header;
}

}  // namespace

std::string encode_shard(const ml::Shard& shard) {
  const auto* floats = std::get_if<std::vector<float>>(&shard.values);
  const std::size_t count =
      std::visit([](const auto& values) { return values.size(); }, shard.values);
  GRADMILL_CHECK(shard.rows >= 1 && shard.labels.size() == shard.rows);
  GRADMILL_CHECK(shard.features >= 1 && shard.features <= ml::kUnitsMax);
  GRADMILL_CHECK(count == std::size_t{shard.rows} * shard.features);
  GRADMILL_CHECK(shard.classes == classes_of(shard.labels));

  Header header;
  header.rows = shard.rows;
  header.features = shard.features;
  header.classes = shard.classes;
  header.element = floats != nullptr ? kElementFloat : kElementByte;
  std::string bytes;
  bytes.reserve(kHeaderBytes + count * (floats != nullptr ? sizeof(float) : 1) +
                shard.labels.size() * sizeof(std::uint16_t));
  bytes += kMagic;
  std::array<char, sizeof header> numbers{};
  std::memcpy(numbers.data(), &header, sizeof header);
  bytes.append(numbers.data(), numbers.size());
  std::visit([&](const auto& values) { append(bytes, values); }, shard.values);
  append(bytes, shard.labels);
  return bytes;
}

ShardView view_shard(std::string_view bytes) {
  const Header header = checked_header(bytes);
  const std::size_t of_labels = header.rows * sizeof(std::uint16_t);
  return {.rows = header.rows,
          .features = header.features,
          .classes = header.classes,
          .has_floats = header.element == kElementFloat,
          .values = bytes.substr(kHeaderBytes, bytes.size() - kHeaderBytes - of_labels),
          .labels = bytes.substr(bytes.size() - of_labels)};
}

ml::Shard decode_shard(std::string_view bytes) {
  const Header header = checked_header(bytes);
  bytes.remove_prefix(kHeaderBytes);
  ml::Shard shard;
  shard.rows = header.rows;
  shard.features = header.features;
  shard.classes = header.classes;
  const std::size_t count = std::size_t{shard.rows} * shard.features;
  if (header.element == kElementByte) {
    shard.values = take<std::uint8_t>(bytes, count);
  } else {
    auto floats = take<float>(bytes, count);
    if (!std::all_of(floats.begin(), floats.end(), [](float x) { return std::isfinite(x); })) {
      throw bad("has a feature that is not finite");
    }
    shard.values = std::move(floats);
  }
  shard.labels = take<std::uint16_t>(bytes, shard.rows);
  const std::uint32_t classes = classes_of(shard.labels);
  if (classes != shard.classes) {
    throw bad("says " + std::to_string(shard.classes) + " classes; its labels make " +
              std::to_string(classes));
  }
  return shard;
}

}  // namespace gradmill::formats
