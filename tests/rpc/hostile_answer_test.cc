// Servers that answer with anything but an answer: the client is as exposed as the server.
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

using testing::EndsWith;
using testing::ThrowsMessage;

// Calls a server that reads one call and then says `answer` and nothing more.
void call_with_answer(const std::string& answer, milliseconds deadline = kAmple) {
  RawListener listener;
  const auto script = std::async(std::launch::async, [&] {
    RawPeer peer = listener.accept();
    peer.receive_frame();
    peer.send(answer);
    (void)peer.closed_within(kAmple);
  });
  NodeConnection connection(listener.address());
  hello(connection, "echo", deadline);
}

std::string reply_header(const std::string& method, std::uint32_t type) {
  return big_endian(0x80010000u | type, 4) + big_endian(method.size(), 4) + method +
         big_endian(0, 4);
}

// The answer to a call of another number; after the frame's length come version, length and name.
std::string with_sequence(std::string answer, std::uint32_t sequence) {
  return answer.replace(4 + 4 + 4 + std::string("hello").size(), 4, big_endian(sequence, 4));
}

TEST(HostileAnswer, IsRefusedAtOnce) {
  const std::string header = reply_header("hello", 2);
  const std::string huge_list =
      std::string("\x0f\0\0", 3) + "\x04" + big_endian(0x7fffffff, 4);  // Elements: double.
  const std::string answers[] = {
      big_endian(0x7fffffff, 4),
      big_endian(0xffffffff, 4),
      big_endian(0, 4),
      big_endian(kFrameBytesMax + 1, 4),
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      frame("x"),
      frame(std::string(4'096, '\xee')),
      frame(header),                                                 // Ends early.
      frame(header + std::string(1, '\0')),                          // No result.
      frame(big_endian(0x80010002, 4) + big_endian(0x7fffffff, 4)),  // Endless name.
      frame(header + huge_list),
      frame(header + std::string("\x0c\0\0", 3) + huge_list),
      frame(reply_header("hello", 1) + std::string(1, '\0')),  // A call.
      frame(reply_header("hello", 9) + std::string(1, '\0')),  // No such type.
      hello_answer("echo", "other"),
      with_sequence(hello_answer("echo"), 1),
      frame(hello_answer("echo").substr(4) + "x"),  // Too long a frame.
      frame(hello_answer("echo").substr(4, 20)) + frame(hello_answer("echo").substr(24)),
  };
  for (const std::string& answer : answers) {
    EXPECT_THAT([&] { call_with_answer(answer); },
                ThrowsMessage<Error>(EndsWith(": sent an answer that is no valid message")))
        << testing::PrintToString(answer.substr(0, 80));
  }
}

TEST(HostileAnswer, MayNotBringTextOfThePeerToOurs) {
  // TApplicationException{1: "boo\n", 2: 6}, in answer to hello.
  const std::string error = std::string("\x0b\0\x01", 3) + big_endian(4, 4) + "boo\n" +
                            std::string("\x08\0\x02", 3) + big_endian(6, 4) + std::string(1, '\0');
  EXPECT_THAT([&] { call_with_answer(frame(reply_header("hello", 3) + error)); },
              ThrowsMessage<Error>(EndsWith(": failed to serve the call")));
}

TEST(HostileAnswer, CannotLastLongerThanTheCall) {
  RawListener listener;
  const auto script = std::async(std::launch::async, [&] {
    RawPeer peer = listener.accept();
    peer.receive_frame();
    for (const char byte : hello_answer(std::string(5'000, 'x'))) {
      if (peer.closed_within(milliseconds(5)) || !peer.send({&byte, 1})) {
        break;
      }
    }
  });
  NodeConnection connection(listener.address());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT([&] { hello(connection, "echo", milliseconds(200)); },
              ThrowsMessage<Error>(EndsWith(": no answer within 200 ms")));
  EXPECT_LE(std::chrono::steady_clock::now() - start, milliseconds(4'000));
}

TEST(HostileAnswer, ToNoCallCostsTheConnection) {
  RawListener listener;
  std::promise<void> sent;
  const auto script = std::async(std::launch::async, [&] {
    RawPeer first = listener.accept();
    first.receive_frame();
    first.send(hello_answer("first") + hello_answer("unasked"));
    sent.set_value();
    RawPeer second = listener.accept();
    second.receive_frame();
    second.send(hello_answer("second"));
  });
  NodeConnection connection(listener.address());
  EXPECT_EQ(hello(connection, "echo"), "first");
  sent.get_future().wait();
  EXPECT_EQ(hello(connection, "echo"), "second");
}

}  // namespace
}  // namespace gradmill::rpc::test
