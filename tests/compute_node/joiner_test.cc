#include "compute_node/membership/joiner.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "base/error.h"

namespace gradmill::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A coordinator that refuses the first announcements, or lets them hang.
struct FakeCoordinator {
  std::atomic<int> calls{0};
  int failures = 0;
  bool hangs = false;
  std::promise<Announcement> announced;
};

class FakeLink final : public JoinLink {
 public:
  explicit FakeLink(FakeCoordinator& coordinator) : coordinator_(coordinator) {}

  JoinAnswer join(const Announcement& announcement) override {
    const int call = ++coordinator_.calls;
    if (coordinator_.hangs) {
      coordinator_.announced.set_value(announcement);
      interrupted_.wait(false);
      throw Error(ErrorCode::kUnavailable, "interrupted");
    }
    if (call <= coordinator_.failures) {
      throw Error(ErrorCode::kUnreachable, "not yet");
    }
    if (call == coordinator_.failures + 1) {
      coordinator_.announced.set_value(announcement);
    }
    return {.accepted = true, .message = {}, .coordinator = "c"};
  }
  void interrupt() override {
    interrupted_ = true;
    interrupted_.notify_all();
  }

 private:
  FakeCoordinator& coordinator_;
  std::atomic<bool> interrupted_{false};
};

class JoinerTest : public testing::Test {
 protected:
  JoinerTest() { spdlog::set_level(spdlog::level::off); }
  ~JoinerTest() override { spdlog::set_level(spdlog::level::info); }

  std::unique_ptr<Joiner> join() {
    return std::make_unique<Joiner>(
        std::vector<Address>{{"c", 1}},
        Announcement{{"node", 7}, "start"},
        [this](const Address&) { return std::make_unique<FakeLink>(coordinator_); },
        [](const std::string& coordinator) {
          EXPECT_TRUE(coordinator.empty() || coordinator == "c");
          return std::chrono::steady_clock::now();
        });
  }
  FakeCoordinator coordinator_;
};

TEST_F(JoinerTest, AnnouncesUntilItIsAcknowledged) {
  coordinator_.failures = 1;
  auto announced = coordinator_.announced.get_future();
  const std::unique_ptr<Joiner> joiner = join();
  const Announcement announcement = announced.get();
  EXPECT_EQ(announcement.address.text(), "node:7");
  EXPECT_EQ(announcement.incarnation, "start");
  EXPECT_TRUE(joiner->stop(seconds(10)));
  EXPECT_EQ(coordinator_.calls, 2);
}

TEST_F(JoinerTest, StopsDuringACall) {
  coordinator_.hangs = true;
  auto announced = coordinator_.announced.get_future();
  const std::unique_ptr<Joiner> joiner = join();
  announced.wait();
  EXPECT_TRUE(joiner->stop(seconds(10)));
}

TEST_F(JoinerTest, StopsDuringAPause) {
  coordinator_.failures = 1'000'000;
  const std::unique_ptr<Joiner> joiner = join();
  while (coordinator_.calls < 3) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(joiner->stop(seconds(10)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(800));
}

}  // namespace
}  // namespace gradmill::node
