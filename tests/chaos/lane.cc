#include "chaos/lane.h"

#include <algorithm>
#include <utility>

namespace gradmill::chaos {

namespace {

constexpr std::size_t kRoom = 256 * 1024;
/// Heartbeats queue behind other bytes: half a second of 64 kbit/s.
constexpr std::size_t kRoomOfSlowLink = 4 * 1024;
/// So that a limited rate is one, and not bursts.
constexpr std::size_t kPiece = 512;

milliseconds jitter_of(const LaneConditions& conditions, simulation::Dice& dice) {
  const auto width = static_cast<std::uint32_t>(2 * conditions.jitter.count());
  return milliseconds(dice.between(0U, width)) - conditions.jitter;
}

}  // namespace

void Lane::take(std::string_view bytes,
                const LaneConditions& conditions,
                Clock::time_point now,
                LinkTime& link_free,
                simulation::Dice& dice) {
  silent_ = silent_ || conditions.loses_all;
  std::string passed = frames_.pass(bytes, [&] { return dice.chance(conditions.lost_frames); });
  if (silent_) {
    return;
  }
  const Clock::time_point delayed = now + conditions.delay + jitter_of(conditions, dice);
  while (!passed.empty()) {
    const std::size_t size =
        conditions.bytes_per_second > 0 ? std::min(kPiece, passed.size()) : passed.size();
    Clock::time_point due = delayed;
    if (conditions.bytes_per_second > 0) {
      link_free = std::max(link_free, now) + std::chrono::nanoseconds(std::chrono::seconds(1)) *
                                                 size / conditions.bytes_per_second;
      due = std::max(due, link_free);
    }
    if (!chunks_.empty()) {
      due = std::max(due, chunks_.back().due);
    }
    chunks_.push_back({due, passed.substr(0, size)});
    held_ += size;
    passed.erase(0, size);
  }
}

std::string_view Lane::due(Clock::time_point now) const {
  return chunks_.empty() || chunks_.front().due > now ? std::string_view() : chunks_.front().bytes;
}

void Lane::passed_on(std::size_t size) {
  held_ -= size;
  chunks_.front().bytes.erase(0, size);
  if (chunks_.front().bytes.empty()) {
    chunks_.pop_front();
  }
}

std::optional<Clock::time_point> Lane::next() const {
  return chunks_.empty() ? std::nullopt : std::optional(chunks_.front().due);
}

bool Lane::full(const LaneConditions& conditions) const {
  return held_ >= (conditions.bytes_per_second > 0 ? kRoomOfSlowLink : kRoom);
}

}  // namespace gradmill::chaos
