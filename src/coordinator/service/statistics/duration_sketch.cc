#include "coordinator/service/statistics/duration_sketch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <boost/histogram/accumulators/mean.hpp>
#include <boost/histogram/axis/regular.hpp>
#include <boost/histogram/make_histogram.hpp>
#include <boost/histogram/unlimited_storage.hpp>

namespace gradmill::coordinator {
namespace {

namespace histogram = boost::histogram;

using Axis = histogram::axis::regular<double, histogram::axis::transform::log>;

constexpr double kShortest = 1e-8;
constexpr double kLongest = 1e5;
// The thirteen decades between them, in steps of less than 2 %.
constexpr unsigned kCells = 1520;

}  // namespace

/// Cells grow from a byte each to what their counts need.
struct DurationSketch::Cells {
  using Histogram = decltype(histogram::make_histogram_with(histogram::unlimited_storage<>(),
                                                            Axis(kCells, kShortest, kLongest)));

  Histogram counts = histogram::make_histogram_with(histogram::unlimited_storage<>(),
                                                    Axis(kCells, kShortest, kLongest));
  histogram::accumulators::mean<double> mean;
  std::uint64_t all = 0;
  double least = 0;
  double greatest = 0;

  /// The values of these ranks, counted from 1 and ascending.
  template <std::size_t kSize>
  [[nodiscard]] std::array<double, kSize> at_ranks(const std::array<double, kSize>& ranks) const {
    std::array<double, kSize> values{};
    std::size_t next = 0;
    double below = 0;
    for (int cell = -1; cell <= static_cast<int>(kCells); ++cell) {
      const double here = counts.at(cell);
      for (; next < kSize && ranks[next] <= below + here; ++next) {
        values[next] = value_at(cell, (ranks[next] - below - 0.5) / here);
      }
      below += here;
    }
    return values;
  }

  /// At this fraction of the cell, as far as there are values.
  [[nodiscard]] double value_at(int cell, double fraction) const {
    if (cell < 0 || cell >= static_cast<int>(kCells)) {
      return cell < 0 ? least : greatest;
    }
    return std::clamp(counts.axis().value(cell + std::clamp(fraction, 0.0, 1.0)), least, greatest);
  }
};

DurationSketch::DurationSketch() : cells_(std::make_unique<Cells>()) {}
DurationSketch::DurationSketch(DurationSketch&& other) noexcept = default;
DurationSketch& DurationSketch::operator=(DurationSketch&& other) noexcept = default;
DurationSketch::~DurationSketch() = default;

void DurationSketch::add(std::chrono::nanoseconds duration) {
  const double seconds = std::max(0.0, std::chrono::duration<double>(duration).count());
  Cells& cells = *cells_;
  cells.least = cells.all == 0 ? seconds : std::min(cells.least, seconds);
  cells.greatest = std::max(cells.greatest, seconds);
  ++cells.all;
  cells.mean(seconds);
  cells.counts(seconds);
}

DurationStatistics DurationSketch::statistics() const {
  const Cells& cells = *cells_;
  if (cells.all == 0) {
    return {};
  }
  const auto rank = [&](double share) {
    return std::max(1.0, std::ceil(share * static_cast<double>(cells.all)));
  };
  const auto [p50, p90, p95, p99] =
      cells.at_ranks(std::array{rank(0.5), rank(0.9), rank(0.95), rank(0.99)});
  return {.mean = cells.mean.value(),
          .sd = cells.all > 1 ? std::sqrt(cells.mean.variance()) : 0,
          .p50 = p50,
          .p90 = p90,
          .p95 = p95,
          .p99 = p99};
}

}  // namespace gradmill::coordinator
