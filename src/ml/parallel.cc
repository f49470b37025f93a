#include "ml/parallel.h"

#include <future>
#include <thread>
#include <vector>

namespace gradmill::ml {

void start_workers(int threads) {
  if (threads <= 1) {
    return;
  }
  static std::mutex one_at_a_time;  // What one has tried is there for its own workers.
  const std::lock_guard lock(one_at_a_time);
  {
    std::vector<std::jthread> tries;  // They end with the promise, whether or not all came up.
    std::promise<void> end;
    const std::shared_future<void> ended = end.get_future().share();
    for (int i = 1; i < threads; ++i) {
      tries.emplace_back([ended] { ended.wait(); });
    }
  }
  parallel_for(static_cast<std::size_t>(threads), threads, [](std::size_t, int) {});
}

}  // namespace gradmill::ml
