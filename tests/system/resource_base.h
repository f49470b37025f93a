// What a server uses, before and after.
#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

#include <gtest/gtest.h>

#include "system/cluster.h"
#include "system/raw_peer.h"

namespace gradmill::system_test {

#if defined(__SANITIZE_ADDRESS__)
// Needs address space without limit, and keeps what is freed.
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
inline constexpr std::int64_t kGrowthMax = 10 << 20;

/// What a server uses before something happens to it, and shall use afterwards.
class Base {
 public:
  explicit Base(int pid) : pid_(pid) {
    // The connection of the client that has just ended may still be there.
    EXPECT_TRUE(eventually([&] {
      before_ = usage_of(pid);
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      const Usage now = usage_of(pid);
      return now.threads == before_.threads && now.descriptors == before_.descriptors;
    }));
  }
  void expect() const {
    EXPECT_TRUE(eventually([&] {
      const Usage now = usage_of(pid_);
      return now.threads <= before_.threads && now.descriptors <= before_.descriptors;
    })) << usage_of(pid_).threads
        << " threads, before " << before_.threads << "; " << usage_of(pid_).descriptors
        << " descriptors, before " << before_.descriptors;
    if (!kSanitized) {
      EXPECT_LE(usage_of(pid_).resident_bytes - before_.resident_bytes, kGrowthMax);
    }
  }

 private:
  int pid_;
  Usage before_;
};

}  // namespace gradmill::system_test
