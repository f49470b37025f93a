// Threads of which either all start or none.
#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace gradmill::node {

/// What one thread does.
struct ThreadPlan {
  std::function<void()> prepare;  ///< May throw; empty: nothing.
  std::function<void()> run;      ///< Once all are prepared.
};

/// Starts a thread for each plan. Throws Error(kFailed, "cannot start ...") if there are too few,
/// or what a `prepare` throws; then none of them runs.
[[nodiscard]] std::vector<std::thread> start_together(const std::vector<ThreadPlan>& plans);

}  // namespace gradmill::node
