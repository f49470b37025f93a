#include "system/raw_peer.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace gradmill::system_test {
namespace {

constexpr timeval kPatience{10, 0};
constexpr int kI32 = 8;
constexpr int kString = 11;
constexpr int kStruct = 12;

}  // namespace

RawPeer::RawPeer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  const int one = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (fd_ >= 0 && ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(std::exchange(fd_, -1));
  }
}

RawPeer::RawPeer(RawPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

RawPeer::~RawPeer() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

bool RawPeer::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string RawPeer::receive(std::size_t bytes) const {
  std::string got(bytes, '\0');
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t count = ::recv(fd_, got.data() + have, bytes - have, 0);
    if (count <= 0) {
      break;
    }
    have += static_cast<std::size_t>(count);
  }
  got.resize(have);
  return got;
}

std::string RawPeer::receive_frame() const {
  std::string header = receive(4);
  std::size_t length = 0;
  for (const char byte : header) {
    length = length << 8U | static_cast<unsigned char>(byte);
  }
  return header.size() < 4 ? header : header + receive(length);
}

bool RawPeer::closed_within(std::chrono::milliseconds timeout) const {
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd wait{fd_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
      return false;
    }
    std::array<char, 4096> dropped{};
    if (::recv(fd_, dropped.data(), dropped.size(), 0) <= 0) {
      return true;
    }
  }
}

void RawPeer::finish() const {
  ::shutdown(fd_, SHUT_WR);
  static_cast<void>(closed_within(std::chrono::seconds(10)));
}

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> static_cast<unsigned>(shift) & 0xFFU);
  }
  return text;
}

std::string counted(std::string_view text) {
  return big_endian(text.size(), 4) + std::string(text);
}

std::string call(std::string_view method, std::string_view arguments) {
  return big_endian(0x80010001, 4) + counted(method) + big_endian(0, 4) + std::string(arguments);
}

std::string field(int type, int id) {
  return big_endian(static_cast<std::uint64_t>(type), 1) +
         big_endian(static_cast<std::uint64_t>(id), 2);
}

std::string hello_frame() {
  return counted(call("hello",
                      field(kStruct, 1) + field(kI32, 1) + big_endian(3, 4) + field(kI32, 2) +
                          big_endian(1, 4) + field(kString, 3) + counted("test") +
                          std::string(2, '\0')));
}

std::string list_jobs_frame() {
  return counted(call(
      "listJobs", field(kStruct, 1) + field(kI32, 1) + big_endian(1, 4) + std::string(2, '\0')));
}

Usage usage_of(int pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  Usage usage;
  std::int64_t pages = 0;
  std::ifstream statm(folder + "/statm");
  statm >> pages >> pages;
  usage.resident_bytes = pages * ::sysconf(_SC_PAGESIZE);
  const auto count = [](const std::string& path) {
    std::error_code ignored;
    return static_cast<int>(std::distance(std::filesystem::directory_iterator(path, ignored), {}));
  };
  usage.threads = count(folder + "/task");
  usage.descriptors = count(folder + "/fd");
  return usage;
}

}  // namespace gradmill::system_test
