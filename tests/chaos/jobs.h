// The jobs of a run: submitted and followed through everything, their results compared.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chaos/run_clock.h"

namespace gradmill::chaos {

/// A specification of a job.
struct JobKind {
  std::string name;
  std::vector<std::string> words;  ///< Of the client, after host and port.
  std::string hash;                ///< `parameters_sha256` of a run without faults.
};

/// All of a second or two on two processors, each with another way of training.
[[nodiscard]] std::vector<JobKind> job_kinds();

/// Trains each kind once, one after the other, with the client connecting to `port`, and notes the
/// hashes. Throws if one fails.
void note_hashes(std::vector<JobKind>& kinds, std::uint16_t port);

enum class Outcome {
  kSame,     ///< The hash of the run without faults.
  kWrong,    ///< Another one.
  kFailed,   ///< The job ended without a result, or the client gave up for another reason than
             ///< that the coordinator did not answer.
  kUnended,  ///< Not in time.
};

struct JobRun {
  std::string id;
  std::string kind;
  Outcome outcome = Outcome::kUnended;
  std::string why;  ///< Unless it is kSame.
  Seconds began = 0;
  Seconds ended = 0;
  int clients = 0;  ///< That were needed: each submits with the same id.
};

/// Keeps jobs in the coordinator's queue, each by a thread that runs one client at a time.
class JobRunner {
 public:
  /// A thread for each of `ports`, to which its clients connect; ids begin with `prefix`. `clock`
  /// must outlive it.
  JobRunner(std::vector<JobKind> kinds,
            const std::vector<std::uint16_t>& ports,
            std::string prefix,
            const RunClock& clock);
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;
  /// Kills clients that still run.
  ~JobRunner();

  /// Starts no further jobs; waits until all have ended, or `timeout` is over.
  [[nodiscard]] std::vector<JobRun> finish(std::chrono::seconds timeout);

 private:
  void work(std::uint16_t port);
  [[nodiscard]] JobRun next_job();
  /// True once it knows the outcome.
  [[nodiscard]] bool try_once(const JobKind& kind, std::uint16_t port, JobRun& run);
  [[nodiscard]] const JobKind& kind_of(const JobRun& run) const;

  const std::vector<JobKind> kinds_;
  const std::string prefix_;
  const RunClock& clock_;
  std::atomic<bool> closing_ = false;   // no further jobs
  std::atomic<bool> stopping_ = false;  // at once
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t working_ = 0;  // guarded by mutex_, like those below
  std::uint64_t submitted_ = 0;
  std::vector<JobRun> ended_;
  std::vector<std::thread> threads_;
};

}  // namespace gradmill::chaos
