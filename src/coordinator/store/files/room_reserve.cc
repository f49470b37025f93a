#include "coordinator/store/files/room_reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

namespace gradmill::coordinator {
namespace {

// So much room may be left beside a reserve that could not be filled.
constexpr std::uint64_t kStep = std::uint64_t{64} << 10U;

}  // namespace

bool is_no_room(const std::error_code& code) {
  return code == std::errc::no_space_on_device || code == std::errc::file_too_large ||
         code == std::error_code(EDQUOT, std::generic_category());
}

RoomReserve::RoomReserve(const std::string& path)
    : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  struct stat status {};
  if (fd_ >= 0 && ::fstat(fd_, &status) == 0) {
    bytes_ = static_cast<std::uint64_t>(status.st_size);
  }
}

RoomReserve::~RoomReserve() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

void RoomReserve::grow() {
  while (fd_ >= 0 && bytes_ < kBytes) {
    const std::uint64_t more = std::min(kStep, kBytes - bytes_);
    if (::posix_fallocate(fd_, static_cast<off_t>(bytes_), static_cast<off_t>(more)) != 0) {
      // Part of a step may have been taken.
      static_cast<void>(::ftruncate(fd_, static_cast<off_t>(bytes_)) == 0);
      return;
    }
    bytes_ += more;
  }
}

bool RoomReserve::shrink(std::uint64_t kept) {
  if (fd_ < 0 || bytes_ <= kept || ::ftruncate(fd_, static_cast<off_t>(kept)) != 0) {
    return false;
  }
  bytes_ = kept;
  return true;
}

}  // namespace gradmill::coordinator
