// Room for what is still on its way in.
#pragma once

#include <cstdint>

namespace gradmill {

/// Memory that a server has for blobs. Thread-safe.
class ByteRoom {
 public:
  virtual ~ByteRoom() = default;
  /// Takes room for `bytes` of an unfinished blob. Throws Error(kUnavailable) if there is none, or
  /// Error(kInvalidInput) if there never is.
  virtual void take_room(std::uint64_t bytes) = 0;
  virtual void give_room_back(std::uint64_t bytes) noexcept = 0;
};

}  // namespace gradmill
