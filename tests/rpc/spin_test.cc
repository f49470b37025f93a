#include "rpc/spin.h"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

#include "rpc/connection.h"
#include "rpc/server.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

using std::chrono::seconds;

TEST(Spin, FindsWhatComesInTime) {
  Spin spin(seconds(60));
  int asked = 0;
  EXPECT_TRUE(spin.finds([&] { return ++asked == 1000; }));
  EXPECT_EQ(asked, 1000);
}

TEST(Spin, GivesUpAtItsLimit) {
  Spin spin(milliseconds(2));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(spin.finds([] { return false; }));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(2));
}

TEST(Spin, KeepsOneThreadBusyAtMost) {
  Spin spin(seconds(60));
  EXPECT_TRUE(spin.finds([&] {
    EXPECT_FALSE(spin.finds([] { return true; })) << "while another one looks";
    return true;
  }));
  EXPECT_TRUE(spin.finds([] { return true; }));
}

TEST(Spin, IsSeldomTriedWhereItFindsNothing) {
  Spin spin(std::chrono::nanoseconds(1));
  int tried = 0;
  const auto try_it = [&] {
    bool was_asked = false;
    static_cast<void>(spin.finds([&] {
      was_asked = true;
      return false;
    }));
    tried += was_asked ? 1 : 0;
  };
  for (int times = 0; times < 16 + 64 * 3; ++times) {
    try_it();
  }
  EXPECT_EQ(tried, 16 + 3);
  int until_found = 0;
  while (!spin.finds([] { return true; })) {
    ++until_found;
  }
  EXPECT_LT(until_found, 64);
  EXPECT_TRUE(spin.finds([] { return true; })) << "at once, since the last time it was found";
}

TEST(Spin, ChangesNoAnswerOfAConnection) {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  for (const auto limit : {std::chrono::nanoseconds(1), std::chrono::nanoseconds(seconds(1))}) {
    ConnectionOptions spinning;
    spinning.spin = std::make_shared<Spin>(limit);
    NodeConnection connection({"127.0.0.1", server.port()}, spinning);
    for (int call = 0; call < 100; ++call) {
      EXPECT_EQ(hello(connection, "echo"), "echo");
    }
  }
}

}  // namespace
}  // namespace gradmill::rpc::test
