#include "coordinator/service/journal.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "coordinator/service/memory_store.h"

namespace gradmill::coordinator {
namespace {

using std::chrono::seconds;

JobEvent event_called(const std::string& name) {
  JobEvent event;
  event.sequence = 1;
  event.event = name;
  return event;
}

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    spdlog::set_level(spdlog::level::off);
    journal_.start();
  }

  /// Whether all records up to `ticket` are durable, within seconds.
  [[nodiscard]] bool saves(std::uint64_t ticket) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(10), [&] { return saved_ >= ticket; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t saved_ = 0;
  MemoryStore store_;
  Journal journal_{store_, [this](std::uint64_t ticket) {
                     const std::lock_guard lock(mutex_);
                     saved_ = ticket;
                     changed_.notify_all();
                   }};
};

TEST_F(JournalTest, SaysWhatIsDurable) {
  journal_.add(1, NodeAdded{{"a", 1}, NodeSource::kJoined});
  journal_.add(2, NodeAdded{{"b", 2}, NodeSource::kAdded});
  EXPECT_TRUE(saves(2));
  EXPECT_EQ(store_.load().nodes.size(), 2U);
  EXPECT_EQ(journal_.trouble(), "");
}

TEST_F(JournalTest, TriesAgainInOrderUntilThereIsRoom) {
  store_.full = true;
  journal_.add(1, NodeAdded{{"a", 1}, NodeSource::kJoined});
  while (journal_.trouble().empty()) {
    journal_.flush();
  }
  EXPECT_EQ(journal_.trouble(), "the state folder: No space left on device");
  journal_.add(2, NodeRemoved{{"a", 1}});
  store_.full = false;
  EXPECT_TRUE(saves(2));
  EXPECT_TRUE(store_.load().nodes.empty());
  EXPECT_EQ(journal_.trouble(), "");
}

TEST_F(JournalTest, RunsWorkAfterWhatCameBefore) {
  journal_.add(0, JobLogged{"job", event_called("first")});
  std::size_t events = 0;
  journal_.flush();
  journal_.run([&] { events = store_.events("job", 0, 10).size(); });
  EXPECT_EQ(events, 1U);
  EXPECT_THROW(journal_.run([] { throw Error(ErrorCode::kFailed, "no"); }), Error);
}

TEST_F(JournalTest, WritesWhatIsLeftWhenItStops) {
  journal_.add(0, JobLogged{"job", event_called("last")});
  journal_.stop();
  EXPECT_EQ(store_.events("job", 0, 10).size(), 1U);
  EXPECT_THROW(journal_.run([] {}), Error);
}

}  // namespace
}  // namespace gradmill::coordinator
