// The thread that makes records durable, as the service has it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "coordinator/core/scheduler/scheduler.h"
#include "simulation/disk.h"
#include "simulation/life.h"
#include "simulation/surroundings.h"

namespace gradmill::simulation {

/// Groups records into batches: whatever has come while the last one was written. Batches of
/// finished rounds alone are at least 20 ms apart. At each of its points the process may crash.
class Writer {
 public:
  struct Hooks {
    std::function<void(std::uint64_t ticket)> saved;
    std::function<void()> crash;
  };

  Writer(Surroundings& around, Life& life, Disk& disk, Hooks hooks)
      : around_(around), life_(life), disk_(disk), hooks_(std::move(hooks)) {}

  void add(coordinator::Save save);

 private:
  void arrange();
  void begin();
  void write_files();
  void commit();
  void end();
  void apply(std::size_t count);
  /// Whether the process ends here.
  bool crashes(CrashPoint point);
  [[nodiscard]] bool is_urgent() const;

  Surroundings& around_;
  Life& life_;
  Disk& disk_;
  Hooks hooks_;
  std::deque<coordinator::Save> waiting_;
  std::size_t batch_ = 0;   // of the waiting ones, those that are being written
  std::uint64_t turn_ = 0;  // only the newest plan to begin counts
  TimePoint may_begin_at_{};
};

}  // namespace gradmill::simulation
