// Clients that send anything but calls. After each, others are served and memory is as before.
#include <memory>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include "support.h"

namespace gradmill::rpc::test {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::protocol::TCompactProtocol;
using apache::thrift::protocol::TProtocol;
using apache::thrift::transport::TMemoryBuffer;

constexpr std::int64_t kGrowthBytesMax = 20 << 20;
constexpr std::uint32_t kIntMax = 0x7fffffff;

class HostileBytes : public testing::Test {
 protected:
  HostileBytes() {
    ServerOptions quick = options();
    quick.frame_deadline = milliseconds(2'000);
    server_ = std::make_unique<Server>(quick, make_handlers(world_));
    server_->start();
    hello(*server_, "echo");
    resident_bytes_before_ = resident_bytes();
  }

  ~HostileBytes() override {
    EXPECT_EQ(hello(*server_, "echo"), "echo");
    EXPECT_TRUE(eventually([this] { return server_->clients() == 0; }));
    if (!kSanitized) {
      EXPECT_LE(resident_bytes() - resident_bytes_before_, kGrowthBytesMax);
    }
    EXPECT_TRUE(server_->stop());
  }

  // The server closes the connection by itself, well before its deadline, and without a word.
  void expect_refused(const std::string& bytes, const std::string& what) {
    RawPeer peer(address_of(*server_));
    peer.send(bytes);
    EXPECT_TRUE(peer.closed_within(milliseconds(1'500))) << what;
    EXPECT_EQ(hello(*server_, "echo"), "echo") << what;
  }

  World world_;
  std::unique_ptr<Server> server_;
  std::int64_t resident_bytes_before_ = 0;
};

std::string text(const std::string& bytes) { return big_endian(bytes.size(), 4) + bytes; }

std::string field(int type, int id) { return big_endian(type, 1) + big_endian(id, 2); }

constexpr int kStop = 0;
constexpr int kByte = 3;
constexpr int kDouble = 4;
constexpr int kI32 = 8;
constexpr int kString = 11;
constexpr int kStruct = 12;
constexpr int kMap = 13;
constexpr int kSet = 14;
constexpr int kList = 15;

std::string call(const std::string& method) {
  return big_endian(0x80010001, 4) + text(method) + big_endian(1, 4);
}

// A call of `method` whose request has one field, `header` and `body`, and then ends.
std::string call_with(const std::string& method, const std::string& contents) {
  return frame(call(method) + field(kStruct, 1) + contents + std::string(2, '\0'));
}

TEST_F(HostileBytes, RandomOnesAreRefused) {
  std::mt19937 random(1);  // The same bytes each time.
  const int calls = world_.calls;
  for (int i = 0; i < 200; ++i) {
    std::string bytes(4'096, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    // Half of them reach the protocol; of the others the first four are no length of a frame.
    expect_refused(i % 2 == 0 ? bytes : frame(bytes), std::to_string(i));
  }
  EXPECT_EQ(world_.calls, calls + 200) << "those of the others that are served meanwhile";
}

TEST_F(HostileBytes, OtherProtocolsAreRefused) {
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP");
  expect_refused(std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11), "TLS");
  expect_refused("SSH-2.0-OpenSSH_9.2\r\n", "SSH");

  const auto buffer = std::make_shared<TMemoryBuffer>();
  const auto written_by = [&buffer](const std::shared_ptr<TProtocol>& protocol) {
    buffer->resetBuffer();
    wire::NodeServiceClient(protocol).send_hello({});
    return buffer->getBufferAsString();
  };
  const std::string compact = written_by(std::make_shared<TCompactProtocol>(buffer));
  const std::string strict = written_by(std::make_shared<TBinaryProtocol>(buffer));
  const std::string lax =
      written_by(std::make_shared<TBinaryProtocol>(buffer, 0, 0, /*strict_read=*/false, false));
  expect_refused(compact + std::string(100, '\0'), "compact, no frame");
  expect_refused(frame(compact), "compact");
  expect_refused(strict, "binary, no frame");
  expect_refused(frame(lax), "binary without version");
}

TEST_F(HostileBytes, FramesOfBadLengthAreRefused) {
  for (const std::uint32_t length :
       {kIntMax, 0xffffffffu, 0x80000000u, 0u, std::uint32_t{kFrameBytesMax} + 1}) {
    expect_refused(big_endian(length, 4), std::to_string(length));
  }
}

TEST_F(HostileBytes, LengthsThatLieAreRefused) {
  for (const std::uint32_t n :
       {kIntMax, 0xffffffffu, 0x80000000u, 134'000'000u, 65'537u, 60'000u}) {
    const std::string count = big_endian(n, 4);
    const std::string what = std::to_string(n);
    expect_refused(frame(big_endian(0x80010001, 4) + count), "method of " + what);
    expect_refused(call_with("hello", field(kString, 3) + count), "string of " + what);
    expect_refused(call_with("hello", field(kString, 99) + count), "unknown string of " + what);
    for (const int element : {kDouble, kStruct, kString, kI32, kList, kStop, 1, 99}) {
      const std::string elements = big_endian(static_cast<std::uint64_t>(element), 1);
      const std::string of = what + " of type " + std::to_string(element);
      const std::string list = elements + count;
      const std::string map = elements + list;
      expect_refused(call_with("heartbeat", field(kList, 2) + list), "strings: " + of);
      expect_refused(
          call_with("runTask", field(kStruct, 4) + field(kList, 1) + list + std::string(1, '\0')),
          "numbers: " + of);
      expect_refused(call_with("hello", field(kList, 99) + list), "unknown list: " + of);
      expect_refused(call_with("hello", field(kSet, 99) + list), "unknown set: " + of);
      expect_refused(call_with("hello", field(kMap, 99) + map), "unknown map: " + of);
    }
  }
}

TEST_F(HostileBytes, ContainersBeyondTheLimitAreRefusedEvenWhenTheyAreThere) {
  const auto lists_of = [](std::uint32_t n) {
    return call_with(
        "hello", field(kList, 99) + big_endian(kByte, 1) + big_endian(n, 4) + std::string(n, 'x'));
  };
  RawPeer peer(address_of(*server_));
  peer.send(lists_of(kContainerElementsMax));
  EXPECT_THAT(peer.receive_frame(), testing::HasSubstr("hello"));
  expect_refused(lists_of(kContainerElementsMax + 1), "one element too many");
}

TEST_F(HostileBytes, DeepNestingIsRefused) {
  for (const int depth : {40, 1'000}) {
    std::string structs;
    std::string lists;
    for (int i = 0; i < depth; ++i) {
      structs += field(kStruct, 99);
      lists += big_endian(kList, 1) + big_endian(1, 4);
    }
    expect_refused(call_with("hello", structs + std::string(static_cast<std::size_t>(depth), '\0')),
                   "structs");
    expect_refused(call_with("hello", field(kList, 99) + lists), "lists");
  }
}

TEST_F(HostileBytes, UnknownFieldsAreSkippedAndWrongTypesToo) {
  const std::string unknown = field(kStruct, 99) + field(kI32, 1) + big_endian(7, 4) +
                              std::string(1, '\0') + field(kI32, 3) + big_endian(7, 4) +
                              field(kString, 3) + text("echo");
  RawPeer peer(address_of(*server_));
  peer.send(call_with("hello", unknown));
  EXPECT_THAT(peer.receive_frame(), testing::HasSubstr("echo"));
}

TEST_F(HostileBytes, UnknownMethodsAreAnsweredAndTheConnectionLives) {
  RawPeer peer(address_of(*server_));
  peer.send(call_with("nonsense", ""));
  EXPECT_THAT(peer.receive_frame(), testing::HasSubstr("nonsense"));
  peer.send(hello_call("echo"));
  EXPECT_THAT(peer.receive_frame(), testing::HasSubstr("echo"));
}

TEST_F(HostileBytes, MessagesThatDoNotFitTheirFrameAreRefused) {
  const std::string message = hello_call("echo").substr(4);
  expect_refused(frame(message.substr(0, 20)) + frame(message.substr(20)), "two frames");
  expect_refused(frame(message + message), "two messages");
  expect_refused(frame(message.substr(0, message.size() - 1)), "too short a frame");
  expect_refused(frame(big_endian(0x80010002, 4) + message.substr(4)), "an answer");
}

TEST_F(HostileBytes, AValidCallCutAnywhereIsDropped) {
  const std::string whole = hello_call("echo");
  const int calls = world_.calls;
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    RawPeer peer(address_of(*server_));
    peer.send(whole.substr(0, cut));
    EXPECT_EQ(peer.finish(), "") << cut;
  }
  EXPECT_EQ(world_.calls, calls);
}

TEST_F(HostileBytes, AValidCallWithAnyByteChangedHarmsNobody) {
  const std::string whole = hello_call("echo");
  for (std::size_t at = 4; at < whole.size(); ++at) {
    for (const char changed : {'\0', '\x0f', '\x7f', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = changed;
      RawPeer peer(address_of(*server_));
      peer.send(bytes);
      peer.finish();
    }
  }
}

TEST_F(HostileBytes, ConnectionsThatHoldWhatTheyAnnounceCostNoMemory) {
  std::vector<RawPeer> peers;
  for (int i = 0; i < 100; ++i) {
    peers.emplace_back(address_of(*server_));
    peers.back().send(big_endian(kFrameBytesMax, 4) + "x");
  }
  EXPECT_EQ(hello(*server_, "echo"), "echo");
  if (!kSanitized) {
    EXPECT_LE(resident_bytes() - resident_bytes_before_, kGrowthBytesMax);
  }
}

}  // namespace
}  // namespace gradmill::rpc::test
