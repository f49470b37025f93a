// Counts what passes between a coordinator and a node.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace gradmill::bench {

/// Passes every connection on to a port of this host, and counts the bytes in both directions of
/// those that are not for heartbeats. One thread a connection.
class ByteRelay {
 public:
  explicit ByteRelay(std::uint16_t target);
  ByteRelay(const ByteRelay&) = delete;
  ByteRelay& operator=(const ByteRelay&) = delete;
  ~ByteRelay();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint64_t bytes();

 private:
  /// One connection. It is for heartbeats if its first bytes name the call.
  struct Connection {
    int near = -1;
    int far = -1;
    std::atomic<std::uint64_t> bytes{0};
    std::string start;  // of what the coordinator sends
    std::atomic<bool> beats{false};
    std::thread thread;
  };

  void accept_all();
  static void relay(Connection& connection);
  static bool pass(int from, int to, Connection& connection, bool from_coordinator);

  std::uint16_t target_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::mutex mutex_;
  std::list<Connection> connections_;  // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace gradmill::bench
