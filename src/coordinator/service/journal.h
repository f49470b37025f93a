// Makes records durable, in order and in groups.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "coordinator/core/record.h"
#include "coordinator/ports/job_store.h"

namespace gradmill::coordinator {

/// Writes what it is given to the store on a thread of its own. Rounds of short jobs go together: a
/// commit that holds nothing else waits until some time after the one before. What cannot be
/// written is tried again until it can. Thread-safe.
class Journal {
 public:
  /// `saved` hears, without a lock held, that all records up to a ticket are durable. `complete`
  /// may add records to those that are about to be committed, likewise; a batch that could not be
  /// committed comes again, with what was added.
  Journal(JobStore& store,
          std::function<void(std::uint64_t ticket)> saved,
          std::function<void(std::vector<Record>& records)> complete = {});
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  void start();
  /// Tickets rise; a record without one (0) is not waited for.
  void add(std::uint64_t ticket, Record record);
  /// Runs `work` between two commits and returns when it is done. Rethrows what it throws; throws
  /// Error(kUnavailable) after stop().
  void run(const std::function<void()>& work);
  /// Returns once everything added before is written, or could not be.
  void flush();
  /// Why nothing becomes durable, for people; empty while all is well.
  [[nodiscard]] std::string trouble();
  /// Tries once more to write all that is left, and ends.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;

  void write();
  /// When the next commit is due, if there is anything to write.
  [[nodiscard]] Clock::time_point due() const;
  void commit(std::unique_lock<std::mutex>& lock);
  void note_failure(const std::string& why, const std::string& log_message);

  JobStore& store_;
  const std::function<void(std::uint64_t)> saved_;
  const std::function<void(std::vector<Record>&)> complete_;

  std::mutex mutex_;
  std::condition_variable filled_;    // for the writer
  std::condition_variable finished_;  // for those who run() something
  std::vector<Record> records_;       // guarded by mutex_, as all below
  std::uint64_t ticket_ = 0;          // of the last of them
  bool urgent_ = false;               // they hold more than rounds and events
  bool has_rounds_ = false;
  std::deque<std::function<void()>> work_;
  Clock::time_point committed_{};
  Clock::time_point not_before_{};  // after a failure
  std::string trouble_;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace gradmill::coordinator
