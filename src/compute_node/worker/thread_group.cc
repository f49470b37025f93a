#include "compute_node/worker/thread_group.h"

#include <future>
#include <string>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace gradmill::node {

std::vector<std::thread> start_together(const std::vector<ThreadPlan>& plans) {
  std::promise<bool> start;
  const std::shared_future<bool> started = start.get_future().share();
  std::vector<std::thread> threads;
  std::vector<std::future<void>> prepared;
  const auto give_up = [&] {
    start.set_value(false);
    for (std::thread& thread : threads) {
      thread.join();
    }
  };
  try {
    threads.reserve(plans.size());
    for (const ThreadPlan& plan : plans) {
      std::packaged_task<void()> prepare([first = plan.prepare] {
        if (first) {
          first();
        }
      });
      prepared.push_back(prepare.get_future());
      threads.emplace_back([prepare = std::move(prepare), run = plan.run, started]() mutable {
        prepare();
        if (started.get()) {
          run();
        }
      });
    }
    for (std::future<void>& one : prepared) {
      one.get();
    }
  } catch (const std::system_error& error) {
    give_up();
    throw Error(ErrorCode::kFailed, std::string("cannot start its threads: ") + error.what());
  } catch (...) {
    give_up();
    throw;
  }
  start.set_value(true);
  return threads;
}

}  // namespace gradmill::node
