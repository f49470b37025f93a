#include "faults/corruption.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/checksum.h"

namespace gradmill::faults {
namespace {

TaskAnswer done(std::size_t bytes = 64) {
  TaskAnswer answer;
  answer.task = {.job = "j", .round = 3, .shard = 1, .offer = 7};
  answer.state = TaskState::kDone;
  answer.delta.bytes = bytes;
  answer.delta_bytes = std::make_shared<const std::string>(bytes, '\x11');
  answer.delta_checksum = checksum(*answer.delta_bytes);
  return answer;
}

bool checksum_fits(const TaskAnswer& answer) {
  return checksum(*answer.delta_bytes) == answer.delta_checksum;
}

TEST(Corruption, AFlippedBitShowsInTheChecksumAndLeavesTheWorkersBytesAlone) {
  const TaskAnswer sound = done();
  for (const double position : {0.0, 0.5, 0.999999}) {
    TaskAnswer answer = sound;
    EXPECT_TRUE(corrupt(answer, {CorruptionKind::kFlippedBit, position}));
    EXPECT_EQ(answer.delta.bytes, 64U);
    EXPECT_FALSE(checksum_fits(answer));
  }
  EXPECT_TRUE(checksum_fits(sound));
}

TEST(Corruption, WhatIsNotFiniteIsSoInBothPrecisions) {
  TaskAnswer answer = done();
  EXPECT_TRUE(corrupt(answer, {CorruptionKind::kNotFinite, 0}));
  EXPECT_TRUE(checksum_fits(answer));
  float single = 0;
  double twice = 0;
  const char* const end = answer.delta_bytes->data() + answer.delta_bytes->size();
  std::memcpy(&single, end - sizeof single, sizeof single);
  std::memcpy(&twice, end - sizeof twice, sizeof twice);
  EXPECT_TRUE(std::isnan(single));
  EXPECT_TRUE(std::isnan(twice));
}

TEST(Corruption, AWrongSizeAndAStaleRoundAreAnnounced) {
  TaskAnswer answer = done();
  EXPECT_TRUE(corrupt(answer, {CorruptionKind::kWrongSize, 0}));
  EXPECT_EQ(answer.delta.bytes, 63U);
  EXPECT_EQ(answer.delta_bytes->size(), 63U);
  EXPECT_TRUE(checksum_fits(answer));
  answer = done();
  EXPECT_TRUE(corrupt(answer, {CorruptionKind::kStale, 0}));
  EXPECT_EQ(answer.task.round, 2U);
}

TEST(Corruption, OfADeltaThatIsFetchedOnlyWhatIsAnnouncedIsSpoiledAtOnce) {
  TaskAnswer answer = done(kInlineBytesMax + 1);
  EXPECT_FALSE(corrupt(answer, {CorruptionKind::kFlippedBit, 0}));
  EXPECT_FALSE(corrupt(answer, {CorruptionKind::kNotFinite, 0}));
  EXPECT_TRUE(checksum_fits(answer));
  EXPECT_TRUE(corrupt(answer, {CorruptionKind::kWrongSize, 0}));
  EXPECT_EQ(answer.delta.bytes, kInlineBytesMax);
}

TEST(Corruption, EveryPositionIsABitOfTheText) {
  std::string text(3, '\0');
  flip_bit(text, 0);
  EXPECT_EQ(text, std::string("\x01\0\0", 3));
  flip_bit(text, 1);
  EXPECT_EQ(text, std::string("\x01\0\x80", 3));
  std::string nothing;
  flip_bit(nothing, 0.5);
  EXPECT_EQ(nothing, "");
}

}  // namespace
}  // namespace gradmill::faults
