#include "base/digest.h"

#include <string>

#include <gtest/gtest.h>

#include "base/blob.h"

namespace gradmill {
namespace {

// Vectors of FIPS 180-4.
TEST(Digest, HashesKnownVectors) {
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, IsTheSameInPieces) {
  EXPECT_EQ(Sha256().add("a").add("").add("bc").finish(), sha256("abc"));
}

TEST(Digest, OfNothingSaidIsAllZeros) { EXPECT_EQ(Digest{}.hex(), std::string(64, '0')); }

TEST(Blob, IsNamedByDigestAndLength) {
  const Blob blob = make_blob("abc");
  EXPECT_EQ(blob.ref, (BlobRef{sha256("abc"), 3}));
  EXPECT_EQ(*blob.bytes, "abc");
}

}  // namespace
}  // namespace gradmill
