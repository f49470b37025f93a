#include "rpc/framed_transport.h"

#include <array>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "support.h"

namespace gradmill::rpc::test {
namespace {

using apache::thrift::transport::TTransportException;

class Framed : public testing::Test {
 protected:
  Framed() {
    std::array<int, 2> ends{};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data());
    peer_ = std::make_unique<RawPeer>(Descriptor(ends[0]));
    socket_ = std::make_shared<Socket>(std::make_unique<PlainStream>(Descriptor(ends[1])), "peer");
    bounds_.drain = std::make_shared<Interrupt>();
    bounds_.abort = std::make_shared<Interrupt>();
  }

  std::unique_ptr<RawPeer> peer_;
  std::shared_ptr<Socket> socket_;
  FrameBounds bounds_;
};

// Messages that nobody answers: Thrift takes an answer for the end of what it counts.
TEST_F(Framed, CountsEachMessageAlone) {
  const std::string message(5 << 20, 'x');
  const auto sending = std::async(std::launch::async, [&] {
    for (int i = 0; i < 4; ++i) {
      peer_->send(frame(message));
    }
  });
  FramedTransport transport(socket_, bounds_);
  for (int i = 0; i < 4; ++i) {
    std::uint8_t first = 0;
    transport.readAll(&first, 1);
    std::uint32_t bytes = 1;
    ASSERT_NE(transport.borrow(nullptr, &bytes), nullptr);
    EXPECT_EQ(bytes, message.size() - 1);
    transport.consume(bytes);
    transport.readEnd();
  }
}

TEST_F(Framed, AtTheClientAnswersAQuestionOnceOnly) {
  FramedTransport transport(socket_, std::nullopt);
  peer_->send(frame("a") + frame("b"));
  std::uint8_t byte = 0;
  EXPECT_THROW(transport.readAll(&byte, 1), TTransportException) << "nothing was asked";
  transport.write(&byte, 1);
  transport.flush();
  transport.readAll(&byte, 1);
  EXPECT_EQ(byte, 'a');
  transport.readEnd();
  EXPECT_THROW(transport.readAll(&byte, 1), TTransportException);
}

TEST_F(Framed, SendsNothingOfWhatWasNotFlushed) {
  FramedTransport transport(socket_, bounds_);
  const std::string half(100'000, 'x');
  transport.write(reinterpret_cast<const std::uint8_t*>(half.data()),
                  static_cast<std::uint32_t>(half.size()));
  transport.close();
  EXPECT_EQ(peer_->finish(), "");
}

// As after a stop of this process between two calls of the system.
TEST_F(Framed, TimeInWhichTheSocketIsNotUsedIsNotThePeers) {
  constexpr std::chrono::milliseconds kGiven{100};
  socket_->bound(Socket::Clock::now() + kGiven, nullptr);
  std::this_thread::sleep_for(3 * kGiven);
  const auto sending = std::async(std::launch::async, [&] {
    std::this_thread::sleep_for(kGiven / 4);
    peer_->send("a");
  });
  std::uint8_t byte = 0;
  EXPECT_EQ(socket_->read(&byte, 1), 1U);
  EXPECT_EQ(byte, 'a');
  EXPECT_THROW(socket_->read(&byte, 1), TTransportException) << "time is up for a silent peer";
}

}  // namespace
}  // namespace gradmill::rpc::test
