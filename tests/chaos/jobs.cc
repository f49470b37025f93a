#include "chaos/jobs.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "program/exit_code.h"
#include "system/cluster.h"
#include "system/process.h"

namespace gradmill::chaos {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using system_test::Process;

constexpr milliseconds kGlance{200};
constexpr milliseconds kPause{200};
/// A client that shows nothing for so long has lost its way; another one follows the job then.
constexpr seconds kPatience{120};

std::vector<std::string> client_words(const JobKind& kind,
                                      std::uint16_t port,
                                      const std::string& id) {
  std::vector<std::string> words = {"127.0.0.1", std::to_string(port), GRADMILL_LETTERS};
  words.insert(words.end(), kind.words.begin(), kind.words.end());
  words.insert(words.end(), {"--format", "json", "--id", id});
  return system_test::command("client", words);
}

}  // namespace

std::vector<JobKind> job_kinds() {
  return {
      {"full-batch", {"60", "20", "24", "0.0001", "--min-loss-change", "0"}, ""},
      {"sgd", {"12", "2", "48", "0.01", "--optimizer", "sgd", "--standardize"}, ""},
      {"adam", {"8", "1", "64,32", "0.002", "--optimizer", "adam", "--standardize"}, ""},
      {"server-momentum",
       {"40", "10", "24", "0.0001", "--min-loss-change", "0", "--server-optimizer", "momentum"},
       ""},
      {"server-adam",
       {"--rounds",
        "10",
        "--steps-per-round",
        "20",
        "--hidden",
        "64",
        "--eta",
        "0.01",
        "--optimizer",
        "momentum",
        "--schedule",
        "cosine",
        "--server-optimizer",
        "adam",
        "--validate-every",
        "2"},
       ""},
      {"double",
       {"20", "10", "16", "0.0001", "--min-loss-change", "0", "--precision", "double"},
       ""},
      // Weights and deltas travel as blobs.
      {"large",
       {"--rounds",
        "3",
        "--steps-per-round",
        "5",
        "--hidden",
        "512,512",
        "--eta",
        "0.01",
        "--optimizer",
        "sgd"},
       ""},
  };
}

void note_hashes(std::vector<JobKind>& kinds, std::uint16_t port) {
  for (JobKind& kind : kinds) {
    Process client(client_words(kind, port, "fault-free-" + kind.name));
    kind.hash = system_test::finish(client);
    if (kind.hash.size() != 64) {
      throw std::runtime_error("the fault-free run of " + kind.name + " failed: " + kind.hash);
    }
  }
}

JobRunner::JobRunner(std::vector<JobKind> kinds,
                     const std::vector<std::uint16_t>& ports,
                     std::string prefix,
                     const RunClock& clock)
    : kinds_(std::move(kinds)), prefix_(std::move(prefix)), clock_(clock), working_(ports.size()) {
  for (const std::uint16_t port : ports) {
    threads_.emplace_back(&JobRunner::work, this, port);
  }
}

JobRunner::~JobRunner() {
  closing_ = true;
  stopping_ = true;
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

std::vector<JobRun> JobRunner::finish(seconds timeout) {
  closing_ = true;
  std::unique_lock lock(mutex_);
  if (!idle_.wait_for(lock, timeout, [this] { return working_ == 0; })) {
    stopping_ = true;
    idle_.wait(lock, [this] { return working_ == 0; });
  }
  return ended_;
}

JobRun JobRunner::next_job() {
  const std::lock_guard lock(mutex_);
  JobRun run;
  run.kind = kinds_[submitted_ % kinds_.size()].name;
  run.id = prefix_ + std::to_string(++submitted_);
  run.began = clock_.now();
  return run;
}

const JobKind& JobRunner::kind_of(const JobRun& run) const {
  for (const JobKind& kind : kinds_) {
    if (kind.name == run.kind) {
      return kind;
    }
  }
  throw std::logic_error("no such kind of job");
}

void JobRunner::work(std::uint16_t port) {
  while (!closing_) {
    JobRun run = next_job();
    const JobKind& kind = kind_of(run);
    while (!stopping_ && !try_once(kind, port, run)) {
      std::this_thread::sleep_for(kPause);
    }
    run.ended = clock_.now();
    const std::lock_guard lock(mutex_);
    ended_.push_back(std::move(run));
  }
  const std::lock_guard lock(mutex_);
  --working_;
  idle_.notify_all();
}

bool JobRunner::try_once(const JobKind& kind, std::uint16_t port, JobRun& run) {
  ++run.clients;
  Process client(client_words(kind, port, run.id));
  std::string shown;
  auto quiet_since = std::chrono::steady_clock::now();
  int code = -1;
  while ((code = client.wait(kGlance)) < 0) {
    const auto now = std::chrono::steady_clock::now();
    if (std::string all = client.err(); all != shown) {
      shown = std::move(all);
      quiet_since = now;
    }
    if (stopping_ || now - quiet_since > kPatience) {
      run.why = "the last client showed: " + shown;
      return false;
    }
  }
  if (code == program::kUnreachable) {
    run.why = "the last client said: " + client.err();
    return false;
  }
  if (code != 0) {
    run.outcome = Outcome::kFailed;
    run.why = "exit code " + std::to_string(code) + ": " + client.err();
    return true;
  }
  const std::string hash = system_test::hash_of({code, client.out(), ""});
  const bool same = hash == kind.hash;
  run.outcome = same ? Outcome::kSame : Outcome::kWrong;
  run.why = same ? "" : hash + " instead of " + kind.hash;
  return true;
}

}  // namespace gradmill::chaos
