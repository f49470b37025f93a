// The median of numbers that come one by one.
#pragma once

#include <functional>
#include <queue>
#include <vector>

namespace gradmill::coordinator {

/// Keeps the lower and the upper half in a heap each. A single-threaded value.
class RunningMedian {
 public:
  void add(double value) {
    if (lower_.empty() || value <= lower_.top()) {
      lower_.push(value);
    } else {
      upper_.push(value);
    }
    if (lower_.size() > upper_.size() + 1) {
      upper_.push(lower_.top());
      lower_.pop();
    } else if (upper_.size() > lower_.size()) {
      lower_.push(upper_.top());
      upper_.pop();
    }
  }
  /// So that it does not grow for ever; without any number, nothing.
  void forget_all_but_the_median() {
    if (!lower_.empty()) {
      const double median = lower_.top();
      *this = {};
      lower_.push(median);
    }
  }
  /// The lower one of the two in the middle; 0 without any number.
  [[nodiscard]] double value() const { return lower_.empty() ? 0 : lower_.top(); }

 private:
  std::priority_queue<double> lower_;
  std::priority_queue<double, std::vector<double>, std::greater<>> upper_;
};

}  // namespace gradmill::coordinator
