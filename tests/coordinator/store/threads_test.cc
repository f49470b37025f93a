// One thread writes, as others read.
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "coordinator/store/state_folder_store.h"
#include "coordinator/store/support.h"

namespace gradmill::coordinator {
namespace {

using testing::IsEmpty;

class StoreThreads : public StateFolder {};

TEST_F(StoreThreads, IsReadWhileItIsWritten) {
  commit({added("a")});
  const auto store = open_state_folder(path());
  static_cast<void>(store->load());
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const std::size_t before = store->rounds("a", 0, 1000).size();
      EXPECT_GE(store->rounds("a", 0, 1000).size(), before);
      static_cast<void>(store->events("a", 0, 1000));
      static_cast<void>(store->weights("a"));
      EXPECT_TRUE(store->blob(blobs()[0].ref));
      EXPECT_THAT(store->collect({}, false).files, IsEmpty());
    }
  });
  for (std::uint32_t round = 1; round <= 100; ++round) {
    store->commit(std::vector<Record>{finished("a", round), logged("a", round)});
  }
  done = true;
  reader.join();
  EXPECT_EQ(store->rounds("a", 0, 1000).size(), 100U);
}

}  // namespace
}  // namespace gradmill::coordinator
