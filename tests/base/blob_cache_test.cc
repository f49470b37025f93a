#include "base/blob_cache.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill {
namespace {

TEST(BlobCache, DropsTheLeastRecentlyUsed) {
  BlobCache cache(10);
  const Blob a = make_blob("aaaa");
  const Blob b = make_blob("bbbb");
  const Blob c = make_blob("cccc");
  cache.put(a);
  cache.put(b);
  EXPECT_TRUE(cache.find(a.ref.digest));
  cache.put(c);
  EXPECT_TRUE(cache.find(a.ref.digest));
  EXPECT_FALSE(cache.find(b.ref.digest));
  EXPECT_EQ(cache.bytes(), 8U);
}

TEST(BlobCache, KeepsWhatIsPinnedAndRefusesWhatHasNoRoom) {
  BlobCache cache(10);
  const Blob a = make_blob("aaaa");
  const Blob big = make_blob("bbbbbbbb");
  cache.put(a);
  EXPECT_EQ(cache.pin(std::vector{a.ref, big.ref}), std::vector{big.ref.digest});
  EXPECT_TRUE(cache.pin(std::vector{a.ref}).empty());
  EXPECT_THROW(cache.put(big), Error);
  EXPECT_TRUE(cache.find(a.ref.digest));
  cache.unpin(std::vector{a.ref});
  EXPECT_NO_THROW(cache.put(big));
  EXPECT_FALSE(cache.find(a.ref.digest));
}

TEST(BlobCache, AWrongSizeIsMissing) {
  BlobCache cache(10);
  const Blob a = make_blob("aaaa");
  cache.put(a);
  EXPECT_EQ(cache.pin(std::vector{BlobRef{a.ref.digest, 5}}).size(), 1U);
}

TEST(BlobCache, CountsUnfinishedBlobs) {
  BlobCache cache(10);
  const Blob a = make_blob("aaaa");
  cache.put(a);
  cache.take_room(6);
  EXPECT_TRUE(cache.find(a.ref.digest));
  cache.take_room(1);
  EXPECT_FALSE(cache.find(a.ref.digest)) << "a blob that nobody pinned makes room";
  EXPECT_THROW(cache.take_room(4), Error);
  EXPECT_THROW(cache.put(a), Error);
  EXPECT_THROW(cache.take_room(UINT64_MAX), Error);
  cache.give_room_back(7);
  EXPECT_NO_THROW(cache.put(a));
}

}  // namespace
}  // namespace gradmill
