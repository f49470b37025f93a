#include "compute_node/worker/blob_inbox.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ml/samples.h"

namespace gradmill::node {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr std::uint64_t kBound = 64 * kMebibyte;

Blob blob_of(std::uint64_t mebibytes, char content) {
  return make_blob(std::string(mebibytes * kMebibyte, content));
}

/// Why there is no room, or nothing.
template <class Take>
std::string refusal(const Take& take) {
  try {
    take();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    return error.what();
  }
  return "";
}

class BlobInboxTest : public testing::Test {
 protected:
  SampleCache samples_{kBound};
  BlobInbox inbox_{8, kBound, samples_};
};

TEST_F(BlobInboxTest, DropsWhatWasNotUsedForLongest) {
  const Blob first = blob_of(24, '1');
  const Blob second = blob_of(24, '2');
  inbox_.put(first);
  inbox_.put(second);
  EXPECT_TRUE(inbox_.find(first.ref.digest));
  inbox_.put(blob_of(24, '3'));
  EXPECT_TRUE(inbox_.find(first.ref.digest)) << "it was just used";
  EXPECT_FALSE(inbox_.find(second.ref.digest));
}

TEST_F(BlobInboxTest, KeepsSoManyBlobsHoweverSmall) {
  BlobInbox two{2, kBound, samples_};
  const Blob first = make_blob("first");
  two.put(first);
  two.put(make_blob("second"));
  two.put(make_blob("third"));
  EXPECT_FALSE(two.find(first.ref.digest));
}

TEST_F(BlobInboxTest, RefusesWhatUnfinishedOnesLeaveNoRoomFor) {
  inbox_.put(blob_of(24, '1'));
  inbox_.take_room(40 * kMebibyte);
  EXPECT_EQ(refusal([&] { inbox_.take_room(24 * kMebibyte); }), "") << "the blob makes room";
  EXPECT_THAT(refusal([&] { inbox_.take_room(1); }),
              HasSubstr("(the node's --cache-bytes), unfinished ones use 67108864"));
  EXPECT_THAT(refusal([&] { inbox_.put(make_blob("x")); }), HasSubstr("no room for 1 bytes"));
  inbox_.give_room_back(24 * kMebibyte);
  EXPECT_EQ(refusal([&] { inbox_.put(blob_of(24, '2')); }), "") << "as soon as there is room";
  EXPECT_THAT(refusal([&] { inbox_.take_room(~std::uint64_t{0}); }), HasSubstr("no room for"))
      << "sums do not wrap";
}

TEST_F(BlobInboxTest, PreparedShardsMakeRoomFirst) {
  ml::Shard rows;
  rows.rows = 1;
  rows.features = 1;
  rows.classes = 1;
  rows.values = std::vector<std::uint8_t>{7};
  rows.labels = {0};
  ml::TrainingRule rule;
  rule.topology.units = {1, 1};
  samples_.put(make_blob("shard").ref.digest,
               rule,
               std::make_shared<PreparedShard>(
                   PreparedShard{ml::prepare_samples(rows, rule), 1, 1, 30 * kMebibyte}));
  inbox_.put(blob_of(24, '1'));
  EXPECT_EQ(samples_.bytes(), 30 * kMebibyte);
  inbox_.take_room(24 * kMebibyte);
  EXPECT_EQ(samples_.bytes(), 0U);
  EXPECT_TRUE(inbox_.find(blob_of(24, '1').ref.digest));
}

TEST_F(BlobInboxTest, IsNeverTooSmallForATask) {
  EXPECT_EQ((BlobInbox{8, 1, samples_}.bytes_max()), kBound);
}

}  // namespace
}  // namespace gradmill::node
