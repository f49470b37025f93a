// The same call, again and again, over many connections of one thread: as light as can be, so that
// what is measured is the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gradmill::bench {

/// A call as it goes over the wire: its frame, made once.
struct Call {
  std::string hello;  ///< The first frame of a connection.
  std::string frame;
};

/// What came of a load.
struct LoadResult {
  std::vector<double> latencies_us;  ///< From when a call was to be sent to its answer, ascending.
  double seconds = 0;
  [[nodiscard]] double rate() const { return static_cast<double>(latencies_us.size()) / seconds; }
  [[nodiscard]] double percentile(double share) const;
};

/// Connections to one server. For one thread. Throws std::runtime_error for whatever goes wrong, an
/// answer that is an exception among it.
class LoadGenerator {
 public:
  LoadGenerator(std::uint16_t port, std::size_t connections, Call call);
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;
  ~LoadGenerator();

  /// Calls at a fixed rate, whatever becomes of them: one that finds no connection free waits, and
  /// its time runs.
  [[nodiscard]] LoadResult at_rate(double calls_per_second, std::chrono::duration<double> duration);
  /// The next call on each connection as soon as the last one is answered.
  [[nodiscard]] LoadResult as_fast_as_possible(std::chrono::duration<double> duration);

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection;

  void send(Connection& connection, Clock::time_point due);
  /// Whether the answer is whole now.
  bool receive(Connection& connection);
  [[nodiscard]] std::vector<Connection*> answered_within(Clock::duration wait);

  Call call_;
  int poll_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace gradmill::bench
