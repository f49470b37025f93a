#include "client/link/retry_timer.h"

#include <condition_variable>
#include <mutex>

namespace gradmill::client {
namespace {

class SteadyTimer final : public RetryTimer {
 public:
  std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::now(); }

  bool pause(std::chrono::milliseconds duration) override {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, duration, [&] { return interrupted_; });
  }

  void interrupt() override {
    {
      const std::lock_guard lock(mutex_);
      interrupted_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<RetryTimer> make_retry_timer() { return std::make_unique<SteadyTimer>(); }

}  // namespace gradmill::client
