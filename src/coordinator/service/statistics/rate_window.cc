#include "coordinator/service/statistics/rate_window.h"

#include <algorithm>

namespace gradmill::coordinator {
namespace {

std::int64_t second_of(TimePoint now) {
  return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

void RateWindow::add(TimePoint now, std::uint64_t count) {
  const std::int64_t second = second_of(now);
  constexpr auto kAll = static_cast<std::int64_t>(kSeconds);
  for (std::int64_t next = std::max(newest_ + 1, second - kAll + 1); next <= second; ++next) {
    counts_[static_cast<std::size_t>(next % kAll)] = 0;
  }
  newest_ = std::max(newest_, second);
  if (second > newest_ - kAll) {
    counts_[static_cast<std::size_t>(second % kAll)] += count;
  }
}

double RateWindow::per_second(TimePoint now, TimePoint begun) const {
  using Seconds = std::chrono::duration<double>;
  constexpr auto kAll = static_cast<std::int64_t>(kSeconds);
  const std::int64_t second = second_of(now);
  const std::int64_t oldest = second - kAll + 1;
  double sum = 0;
  const std::int64_t first = std::max({oldest, newest_ - kAll + 1, std::int64_t{0}});
  for (std::int64_t one = first; one <= std::min(second, newest_); ++one) {
    const double passed = Seconds(now.time_since_epoch() - std::chrono::seconds(second)).count();
    sum += static_cast<double>(counts_[static_cast<std::size_t>(one % kAll)]) *
           (one == oldest ? 1 - passed : 1);
  }
  const double length = Seconds(kLength).count();
  return sum / std::clamp(Seconds(now - begun).count(), 1.0, length);
}

}  // namespace gradmill::coordinator
