// One direction of a connection through the proxy.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "chaos/frame_filter.h"
#include "simulation/dice.h"

namespace gradmill::chaos {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// What a link does to one direction.
struct LaneConditions {
  bool loses_all = false;
  double lost_frames = 0;  ///< Probability.
  milliseconds delay{};
  milliseconds jitter{};             ///< Added to or taken from the delay.
  std::size_t bytes_per_second = 0;  ///< 0: no limit.
};

/// Bytes on their way, in order. What is lost is lost for good: from then on all of it is, as with
/// a firewall that has forgotten the connection, since TCP never skips bytes. A lost frame is left
/// out alone: as if the one that sent it had never done so. Single-threaded; knows no sockets.
class Lane {
 public:
  /// When the link is free again, for all its lanes of one direction.
  using LinkTime = Clock::time_point;

  /// Takes bytes that came in at `now`.
  void take(std::string_view bytes,
            const LaneConditions& conditions,
            Clock::time_point now,
            LinkTime& link_free,
            simulation::Dice& dice);
  /// The sender has closed. That, too, may be lost.
  void close(const LaneConditions& conditions) {
    closed_ = true;
    silent_ = silent_ || conditions.loses_all;
  }

  /// The bytes that are due, empty if none are.
  [[nodiscard]] std::string_view due(Clock::time_point now) const;
  /// So many of them were passed on.
  void passed_on(std::size_t size);
  /// When the next bytes are due.
  [[nodiscard]] std::optional<Clock::time_point> next() const;
  /// Whether it has no room for more: a slow link fills up, and its sender has to wait.
  [[nodiscard]] bool full(const LaneConditions& conditions) const;
  /// The receiver is to be told that no more comes.
  [[nodiscard]] bool ended() const { return closed_ && chunks_.empty() && !silent_; }
  [[nodiscard]] bool silent() const { return silent_; }

 private:
  struct Chunk {
    Clock::time_point due;
    std::string bytes;
  };

  FrameFilter frames_;
  std::deque<Chunk> chunks_;
  std::size_t held_ = 0;  // bytes in chunks_
  bool silent_ = false;   // something was lost
  bool closed_ = false;
};

}  // namespace gradmill::chaos
