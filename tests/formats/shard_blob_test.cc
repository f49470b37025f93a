#include "formats/shard_blob.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/error_of.h"

namespace gradmill::formats {
namespace {

using testing::HasSubstr;

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kRowsAt = 12;
constexpr std::size_t kFeaturesAt = 16;
constexpr std::size_t kClassesAt = 20;
constexpr std::size_t kElementAt = 24;

ml::Shard byte_shard() {
  ml::Shard shard;
  shard.rows = 2;
  shard.features = 3;
  shard.classes = 259;
  shard.values = std::vector<std::uint8_t>{0, 1, 2, 255, 254, 7};
  shard.labels = {258, 3};
  return shard;
}

ml::Shard float_shard() {
  ml::Shard shard = byte_shard();
  shard.values = std::vector<float>{0.5F, -1, 2, 1e30F, 1e-40F, 0};
  return shard;
}

std::string with_number(std::string bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes[at + i] = static_cast<char>(value >> (8 * i));
  }
  return bytes;
}

std::string refusal(const std::string& bytes) {
  return error_of([&] { return decode_shard(bytes); });
}

bool refused(std::string_view bytes) {
  try {
    static_cast<void>(decode_shard(bytes));
  } catch (const Error& error) {
    return error.code() == ErrorCode::kInvalidInput;
  }
  return false;
}

void expect_equal(const ml::Shard& a, const ml::Shard& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.values, b.values);
  EXPECT_EQ(a.labels, b.labels);
}

TEST(ShardBlob, HasTheBytesOfItsFormat) {
  static constexpr char kBytes[] =
      "GMSHARD1"
      "\1\0\0\0"
      "\2\0\0\0"
      "\3\0\0\0"
      "\3\1\0\0"
      "\0\0\0\0"
      "\0\0\0\0"
      "\0\1\2\xFF\xFE\7"
      "\2\1\3";  // The last zero is the terminator's.
  EXPECT_EQ(encode_shard(byte_shard()), std::string(kBytes, sizeof kBytes));
}

TEST(ShardBlob, ComesBackAsItWas) {
  expect_equal(decode_shard(encode_shard(byte_shard())), byte_shard());
  expect_equal(decode_shard(encode_shard(float_shard())), float_shard());
}

TEST(ShardBlob, HoldsTheLargestLabel) {
  ml::Shard shard = byte_shard();
  shard.labels = {0, 65'535};
  shard.classes = kClassesMax;
  expect_equal(decode_shard(encode_shard(shard)), shard);
}

TEST(ShardBlob, IsRefusedCutAnywhereOrWithMore) {
  for (const std::string& bytes : {encode_shard(byte_shard()), encode_shard(float_shard())}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // A copy of its own, so that a sanitizer sees any read past the end.
      EXPECT_TRUE(refused(std::string(bytes, 0, size))) << size;
    }
    EXPECT_TRUE(refused(bytes + '\0'));
  }
}

TEST(ShardBlob, IsRefusedWithAnyOtherHeaderByte) {
  for (const std::string& bytes : {encode_shard(byte_shard()), encode_shard(float_shard())}) {
    for (std::size_t at = 0; at < kHeaderBytes; ++at) {
      for (unsigned flip = 1; flip < 256; ++flip) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
        EXPECT_TRUE(refused(changed)) << at << ' ' << flip;
      }
    }
  }
}

TEST(ShardBlob, SaysWhatIsWrong) {
  const std::string bytes = encode_shard(byte_shard());
  EXPECT_EQ(refusal("GMSHARD"), "shard blob: has 7 bytes; the header alone has 32");
  EXPECT_EQ(refusal(with_number(bytes, 0, 0)), "shard blob: does not start with GMSHARD1");
  EXPECT_EQ(refusal(with_number(bytes, kVersionAt, 2)),
            "shard blob: has version 2; only version 1 is known");
  EXPECT_EQ(refusal(with_number(bytes, kRowsAt, 0)), "shard blob: has no rows");
  EXPECT_EQ(refusal(with_number(bytes, kFeaturesAt, 65'537)),
            "shard blob: has 65537 features; 1 to 65536 are allowed");
  EXPECT_EQ(refusal(with_number(bytes, kClassesAt, 65'537)),
            "shard blob: has 65537 classes; 1 to 65536 are allowed");
  EXPECT_EQ(refusal(with_number(bytes, kClassesAt, 260)),
            "shard blob: says 260 classes; its labels make 259");
  EXPECT_EQ(refusal(with_number(bytes, kElementAt, 2)), "shard blob: has an unknown element type");
}

TEST(ShardBlob, AsksForNoMoreThanTheFileHas) {
  std::string bytes = encode_shard(float_shard());
  bytes = with_number(bytes, kRowsAt, UINT32_MAX);
  bytes = with_number(bytes, kFeaturesAt, 65'536);
  EXPECT_THAT(refusal(bytes), HasSubstr("its header asks for 1125908496515102"));
}

TEST(ShardBlob, IsRefusedWithALabelThatIsNotBelowItsClasses) {
  std::string bytes = encode_shard(byte_shard());
  bytes.back() = '\x02';
  EXPECT_EQ(refusal(bytes), "shard blob: says 259 classes; its labels make 516");
}

TEST(ShardBlob, IsRefusedWithAFeatureThatIsNotFinite) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    std::string bytes = encode_shard(float_shard());
    std::memcpy(bytes.data() + kHeaderBytes + 5 * sizeof value, &value, sizeof value);
    EXPECT_EQ(refusal(bytes), "shard blob: has a feature that is not finite");
  }
}

TEST(ShardBlobDeathTest, IsNotMadeOfSizesThatDisagree) {
  ml::Shard shard = byte_shard();
  shard.classes = 300;
  EXPECT_DEATH(static_cast<void>(encode_shard(shard)), "shard.classes == classes_of");
  shard = byte_shard();
  shard.rows = 3;
  EXPECT_DEATH(static_cast<void>(encode_shard(shard)), "shard.rows");
}

}  // namespace
}  // namespace gradmill::formats
