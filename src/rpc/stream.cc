#include "rpc/stream.h"

#include <cerrno>

#include <sys/socket.h>

namespace gradmill::rpc {

Progress progress_of(int error, Progress::State waiting) noexcept {
  switch (error) {
    case EAGAIN:
    case EINTR:
      return {.state = waiting};
    case ECONNRESET:
    case EPIPE:
      return {.state = Progress::State::kEnded};
    default:
      return {.state = Progress::State::kFailed, .error = error};
  }
}

bool is_silent(int fd) noexcept {
  char byte = 0;
  return fd >= 0 && ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

Progress PlainStream::read(std::uint8_t* buffer, std::uint32_t bytes) {
  const auto got = ::recv(fd_.get(), buffer, bytes, 0);
  if (got < 0) {
    return progress_of(errno, Progress::State::kNeedsInput);
  }
  return got == 0 ? Progress{.state = Progress::State::kEnded}
                  : Progress{.bytes = static_cast<std::uint32_t>(got)};
}

Progress PlainStream::write(const std::uint8_t* buffer, std::uint32_t bytes) {
  const auto sent = ::send(fd_.get(), buffer, bytes, MSG_NOSIGNAL);
  return sent < 0 ? progress_of(errno, Progress::State::kNeedsOutput)
                  : Progress{.bytes = static_cast<std::uint32_t>(sent)};
}

bool PlainStream::quiet() const noexcept { return is_silent(fd_.get()); }

}  // namespace gradmill::rpc
