// Room on the disk that is kept for the way out of a full one.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace gradmill::coordinator {

/// Whether the disk, or the user's share of it, is full.
[[nodiscard]] bool is_no_room(const std::error_code& code);

/// A file of up to kBytes that holds nothing: what it gives back is room for deletions, for changes
/// of a job's state and for a start. Owns its file descriptor, not the file, which outlives it. For
/// one thread.
class RoomReserve {
 public:
  static constexpr std::uint64_t kBytes = std::uint64_t{1} << 20U;
  /// What only deletions may take.
  static constexpr std::uint64_t kForDeletions = kBytes / 2;

  /// Nothing is there until the first grow(), but for what an earlier process has left.
  explicit RoomReserve(const std::string& path);
  RoomReserve(const RoomReserve&) = delete;
  RoomReserve& operator=(const RoomReserve&) = delete;
  ~RoomReserve();

  /// Takes as much room as there is, up to kBytes.
  void grow();
  /// Gives back all but `kept` bytes; whether that was anything.
  bool shrink(std::uint64_t kept);

 private:
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace gradmill::coordinator
