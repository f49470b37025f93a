#include "rpc/blob_transfer.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "rpc/limits.h"

namespace gradmill::rpc {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    text[i] = static_cast<char>(i * 131 >> 3);
  }
  return text;
}

TEST(BlobReceiver, PutsPiecesTogether) {
  const Blob blob = make_blob(pattern(1'000));
  BlobReceiver receiver(1'000);
  EXPECT_FALSE(receiver.add(blob.ref, 0, blob.bytes->substr(0, 600)));
  EXPECT_EQ(receiver.received(), 600u);
  const auto whole = receiver.add(blob.ref, 600, blob.bytes->substr(600));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->ref, blob.ref);
  EXPECT_EQ(*whole->bytes, *blob.bytes);
  EXPECT_EQ(receiver.received(), 0u);
}

TEST(BlobReceiver, TakesAnEmptyBlobAsOneEmptyPiece) {
  BlobReceiver receiver(0);
  const auto whole = receiver.add(make_blob("").ref, 0, "");
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->bytes->empty());
}

TEST(BlobReceiver, RefusesAWrongDigestAndAnEmptyBlobOfAnotherName) {
  BlobReceiver receiver(100);
  EXPECT_THAT([&] { (void)receiver.add(make_blob("abc").ref, 0, "abd"); },
              ThrowsMessage<Error>(HasSubstr("do not match its digest")));
  EXPECT_THROW((void)receiver.add({make_blob("abc").ref.digest, 0}, 0, ""), Error);
}

TEST(BlobReceiver, RefusesPiecesThatDoNotFollow) {
  const Blob blob = make_blob("abcdef");
  for (const std::uint64_t offset : {1, 2, 4, 6, 7}) {
    BlobReceiver receiver(100);
    EXPECT_FALSE(receiver.add(blob.ref, 0, "abc"));
    EXPECT_THAT([&] { (void)receiver.add(blob.ref, offset, "d"); },
                ThrowsMessage<Error>(HasSubstr("does not follow")));
    EXPECT_EQ(receiver.received(), 0u) << "the partial blob is dropped";
    EXPECT_THROW((void)receiver.add(blob.ref, 3, "def"), Error);
  }
  BlobReceiver fresh(100);
  EXPECT_THROW((void)fresh.add(blob.ref, 3, "def"), Error);
  EXPECT_THROW((void)fresh.add(blob.ref, UINT64_MAX, "def"), Error);
}

TEST(BlobReceiver, RefusesAPieceOfAnotherBlobInBetween) {
  const Blob blob = make_blob("abcdef");
  BlobReceiver receiver(100);
  EXPECT_FALSE(receiver.add(blob.ref, 0, "abc"));
  EXPECT_THROW((void)receiver.add({blob.ref.digest, 7}, 3, "def"), Error);
  EXPECT_FALSE(receiver.add(blob.ref, 0, "abc"));
  EXPECT_THROW((void)receiver.add(make_blob("abcxyz").ref, 3, "xyz"), Error);
}

TEST(BlobReceiver, BeginsAnewAtOffsetZero) {
  const Blob first = make_blob("abcdef");
  const Blob second = make_blob("uvwxyz");
  BlobReceiver receiver(100);
  EXPECT_FALSE(receiver.add(first.ref, 0, "abc"));
  EXPECT_FALSE(receiver.add(first.ref, 0, "abcd"));
  EXPECT_FALSE(receiver.add(second.ref, 0, "uvw"));
  EXPECT_TRUE(receiver.add(second.ref, 3, "xyz"));
}

TEST(BlobReceiver, RefusesTooMuch) {
  const Blob blob = make_blob("abcdef");
  BlobReceiver receiver(6);
  EXPECT_THAT(
      [&] {
        (void)receiver.add({blob.ref.digest, 7}, 0, "abc");
      },
      ThrowsMessage<Error>(HasSubstr("limit of 6")));
  EXPECT_THROW((void)receiver.add({blob.ref.digest, UINT64_MAX}, 0, "abc"), Error);
  EXPECT_THAT([&] { (void)receiver.add(blob.ref, 0, "abcdefg"); },
              ThrowsMessage<Error>(HasSubstr("beyond the end")));
  EXPECT_THAT([&] { (void)receiver.add(blob.ref, 0, ""); },
              ThrowsMessage<Error>(HasSubstr("empty")));
  BlobReceiver large(1 << 30);
  const std::string piece(std::size_t{kBlobPieceBytesMax} + 1, 'x');
  EXPECT_THAT(
      [&] {
        (void)large.add({blob.ref.digest, 1 << 30}, 0, piece);
      },
      ThrowsMessage<Error>(HasSubstr("larger than the limit")));
}

TEST(BlobReceiver, DoesNotAllocateWhatIsOnlyAnnounced) {
  BlobReceiver receiver(UINT64_MAX);
  EXPECT_FALSE(receiver.add({make_blob("x").ref.digest, std::uint64_t{1} << 62}, 0, "abc"));
}

TEST(SendPieces, MeetsReceivePieces) {
  for (const std::size_t bytes : {0, 1, 4 << 20, (4 << 20) + 1, 9'000'000}) {
    const Blob blob = make_blob(pattern(bytes));
    BlobReceiver receiver(bytes);
    std::optional<Blob> sent;
    send_pieces(blob, [&](std::uint64_t offset, const std::string& piece) {
      sent = receiver.add(blob.ref, offset, piece);
      return static_cast<std::int64_t>(offset + piece.size());
    });
    ASSERT_TRUE(sent) << bytes;
    const Blob fetched =
        receive_pieces(blob.ref, bytes, [&](std::uint64_t offset, std::int32_t bytes_max) {
          return sent->bytes->substr(offset, static_cast<std::size_t>(bytes_max));
        });
    EXPECT_EQ(*fetched.bytes, *blob.bytes);
  }
}

TEST(SendPieces, ChecksWhatThePeerAcknowledges) {
  const Blob blob = make_blob(pattern(9'000'000));
  EXPECT_THROW(send_pieces(blob, [](std::uint64_t, const std::string&) { return 5; }), Error);
  EXPECT_THROW(send_pieces(blob, [](std::uint64_t, const std::string&) { return -1; }), Error);
  int pieces = 0;
  send_pieces(blob, [&pieces](std::uint64_t, const std::string&) {
    ++pieces;
    return 9'000'000;
  });
  EXPECT_EQ(pieces, 1) << "the peer has the whole blob already";
}

TEST(ReceivePieces, RefusesWrongAnswers) {
  const Blob blob = make_blob("abcdef");
  const auto answer_with = [&blob](const std::string& piece) {
    return [&blob, piece] {
      (void)receive_pieces(blob.ref, 100, [&](std::uint64_t, std::int32_t) { return piece; });
    };
  };
  EXPECT_THAT(answer_with(""), ThrowsMessage<Error>(HasSubstr("sent 0 bytes")));
  EXPECT_THAT(answer_with("abcdefg"), ThrowsMessage<Error>(HasSubstr("asked for 6")));
  EXPECT_THAT(answer_with("abcdeg"), ThrowsMessage<Error>(HasSubstr("digest")));
}

TEST(ReceivePieces, AsksForNothingThatIsTooLarge) {
  int calls = 0;
  const auto get = [&calls](std::uint64_t, std::int32_t) {
    ++calls;
    return std::string("x");
  };
  EXPECT_THROW((void)receive_pieces({make_blob("x").ref.digest, 101}, 100, get), Error);
  EXPECT_TRUE(receive_pieces(make_blob("").ref, 100, get).bytes->empty());
  EXPECT_EQ(calls, 0);
}

class CountedRoom final : public ByteRoom {
 public:
  explicit CountedRoom(std::uint64_t bytes) : left(bytes) {}
  void take_room(std::uint64_t bytes) override {
    if (bytes > left) {
      throw Error(ErrorCode::kUnavailable, "full");
    }
    left -= bytes;
  }
  void give_room_back(std::uint64_t bytes) noexcept override { left += bytes; }
  std::uint64_t left;
};

TEST(BlobReceiver, TakesRoomForWhatHasComeAndGivesItBack) {
  const Blob blob = make_blob(pattern(1'000));
  CountedRoom room(1'000);
  {
    BlobReceiver receiver(1'000, &room);
    EXPECT_FALSE(receiver.add(blob.ref, 0, blob.bytes->substr(0, 100)));
    EXPECT_LT(room.left, 1'000U);
    EXPECT_GE(room.left, 800U);
    BlobReceiver other(1'000, &room);
    EXPECT_THAT([&] { (void)other.add(blob.ref, 0, *blob.bytes); },
                ThrowsMessage<Error>(HasSubstr("full")));
    EXPECT_TRUE(receiver.add(blob.ref, 100, blob.bytes->substr(100)));
    EXPECT_EQ(room.left, 1'000U);
    EXPECT_FALSE(other.add(blob.ref, 0, blob.bytes->substr(0, 999)));
    EXPECT_LT(room.left, 1'000U);
  }
  EXPECT_EQ(room.left, 1'000U) << "a receiver that goes takes nothing along";
}

}  // namespace
}  // namespace gradmill::rpc
