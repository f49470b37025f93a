#include "chaos/observer.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace gradmill::chaos {

namespace {

constexpr std::chrono::milliseconds kPeriod{300};

/// The number of a line `NAME: NUMBER ...` of /proc/PID/status, 0 without one.
std::uint64_t status_number(const std::string& status, const std::string& name) {
  const std::size_t line = status.find("\n" + name + ":");
  return line == std::string::npos
             ? 0
             : std::strtoull(status.c_str() + line + name.size() + 2, nullptr, 10);
}

}  // namespace

void CoordinatorLog::follow(std::shared_ptr<system_test::Process> coordinator) {
  const std::lock_guard lock(mutex_);
  read_locked();
  coordinator_ = std::move(coordinator);
  position_ = 0;
}

void CoordinatorLog::read() {
  const std::lock_guard lock(mutex_);
  read_locked();
}

void CoordinatorLog::read_locked() {
  if (!coordinator_) {
    return;
  }
  const std::string said = coordinator_->err();
  for (std::size_t end = said.find('\n', position_); end != std::string::npos;
       end = said.find('\n', position_)) {
    const std::string line = said.substr(position_, end - position_);
    position_ = end + 1;
    if (std::optional<LogEntry> entry = parse_log_line(line, clock_.start())) {
      entries_.push_back(std::move(*entry));
    }
  }
}

std::vector<LogEntry> CoordinatorLog::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

std::vector<ResourceSample> sample_resources(const Stage& stage, Seconds now) {
  std::vector<ResourceSample> samples;
  for (const Stage::Running& process : stage.running()) {
    const std::string folder = "/proc/" + std::to_string(process.pid);
    // This way a process that ends meanwhile is no exception, but text without numbers.
    std::ostringstream text;
    text << std::ifstream(folder + "/status").rdbuf();
    const std::string status = text.str();
    std::uint64_t descriptors = 0;
    std::error_code gone;
    for (auto entry = std::filesystem::directory_iterator(folder + "/fd", gone);
         !gone && entry != std::filesystem::directory_iterator();
         entry.increment(gone)) {
      ++descriptors;
    }
    const std::uint64_t kibibytes = status_number(status, "VmRSS");
    if (gone || kibibytes == 0) {
      continue;
    }
    samples.push_back({.at = now,
                       .place = process.place,
                       .pid = process.pid,
                       .descriptors = descriptors,
                       .threads = status_number(status, "Threads"),
                       .memory_bytes = kibibytes * 1024});
  }
  return samples;
}

Observer::Observer(const Stage& stage, CoordinatorLog& log, const RunClock& clock)
    : stage_(stage), log_(log), clock_(clock), thread_(&Observer::run, this) {}

Observer::~Observer() { end(); }

void Observer::end() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

Observer::Observations Observer::stop() {
  end();
  return std::move(seen_);
}

void Observer::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kPeriod, [this] { return stopping_; })) {
    lock.unlock();
    log_.read();
    for (const ResourceSample& sample : sample_resources(stage_, clock_.now())) {
      seen_.resources.push_back(sample);
    }
    count_results();
    lock.lock();
  }
}

void Observer::count_results() {
  const system_test::Ended answer = stage_.ask({"node", "stats", "--format", "json"});
  const Seconds now = clock_.now();
  // While the coordinator is away there is none.
  const nlohmann::json nodes = nlohmann::json::parse(answer.out, nullptr, false);
  if (answer.code != 0 || !nodes.is_array()) {
    return;
  }
  for (const nlohmann::json& node : nodes) {
    seen_.results.push_back({now, node.at("node"), node.at("tasks")});
  }
}

}  // namespace gradmill::chaos
