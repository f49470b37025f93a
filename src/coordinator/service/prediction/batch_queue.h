// Predictions that wait for a node.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "protocol/prediction.h"

namespace gradmill::coordinator {

/// What a queue of predictions needs to know of one.
struct QueuedRows {
  std::shared_ptr<const ServedModel> model;
  RawRows rows;
  std::chrono::steady_clock::time_point arrived{};
};

/// Whether both can go to a node in one call.
[[nodiscard]] inline bool go_together(const QueuedRows& one, const QueuedRows& other) {
  return one.rows.elements == other.rows.elements && one.model->file == other.model->file;
}

/// Requests in order of arrival, within bounds, that leave in batches of one model. `Request` is a
/// QueuedRows. A single-threaded value.
template <class Request>
class BatchQueue {
 public:
  using Pointer = std::shared_ptr<Request>;
  using Batch = std::vector<Pointer>;

  /// Holds at most so many requests and rows; a request beyond `rows_max` is let in when nothing
  /// waits. Batches have up to `batch_rows` rows, or one request.
  BatchQueue(std::size_t requests_max, std::uint64_t rows_max, std::uint64_t batch_rows)
      : requests_max_(requests_max), rows_max_(rows_max), batch_rows_(batch_rows) {}

  /// False if there is no room.
  [[nodiscard]] bool add(Pointer request) {
    const std::uint64_t rows = request->rows.rows;
    if (waiting_.size() >= requests_max_ || (!waiting_.empty() && rows_ + rows > rows_max_)) {
      return false;
    }
    rows_ += rows;
    waiting_.push_back(std::move(request));
    return true;
  }

  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// The request that waits for longest.
  [[nodiscard]] const Request& front() const { return *waiting_.front(); }
  /// Whether a batch with it would be as large as batches get.
  [[nodiscard]] bool has_full_batch() const {
    std::uint64_t sum = 0;
    for (const Pointer& request : waiting_) {
      sum += go_together(*request, front()) ? request->rows.rows : 0;
    }
    return sum >= batch_rows_;
  }

  /// The request that waits for longest, and those behind it that can go along, in order.
  [[nodiscard]] Batch take() {
    Batch batch;
    std::uint64_t sum = 0;
    bool is_full = false;
    std::deque<Pointer> rest;
    for (Pointer& request : waiting_) {
      const std::uint64_t rows = request->rows.rows;
      const bool suits = batch.empty() || go_together(*request, *batch.front());
      is_full = is_full || (suits && !batch.empty() && sum + rows > batch_rows_);
      if (suits && !is_full) {
        sum += rows;
        batch.push_back(std::move(request));
      } else {
        rest.push_back(std::move(request));
      }
    }
    waiting_ = std::move(rest);
    rows_ -= sum;
    return batch;
  }

  /// A batch that came to nothing waits again, before all others, whatever the bounds.
  void put_back(const Batch& batch) {
    waiting_.insert(waiting_.begin(), batch.begin(), batch.end());
    for (const Pointer& request : batch) {
      rows_ += request->rows.rows;
    }
  }

  /// Everything, in order.
  [[nodiscard]] Batch take_all() {
    Batch all(waiting_.begin(), waiting_.end());
    waiting_.clear();
    rows_ = 0;
    return all;
  }

 private:
  std::size_t requests_max_;
  std::uint64_t rows_max_;
  std::uint64_t batch_rows_;
  std::deque<Pointer> waiting_;
  std::uint64_t rows_ = 0;
};

}  // namespace gradmill::coordinator
