// A tiny service, raw peers and figures of the process, for the tests of gradmill_rpc.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <thrift/TProcessor.h>

#include "rpc/connect.h"
#include "rpc/connection.h"
#include "rpc/descriptor.h"
#include "rpc/server.h"
#include "wire/NodeService.h"

namespace gradmill::rpc::test {

using std::chrono::milliseconds;
using NodeConnection = Connection<wire::NodeServiceClient>;

inline constexpr milliseconds kAmple{10'000};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// A handler waits at it; the test sees that, and opens it.
class Gate {
 public:
  void pass();
  void await_arrivals(int count);
  void open();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int arrivals_ = 0;
  bool open_ = false;
};

/// What handlers of one server share.
struct World {
  Gate gate;
  std::atomic<int> connections = 0;
  std::atomic<int> calls = 0;
};

/// Makes handlers that do what HelloRequest.program_version says: "echo", "wait" at the gate,
/// throw "runtime_error", "int", "bad_alloc" or "declared", or give a "huge" answer.
[[nodiscard]] std::shared_ptr<apache::thrift::TProcessorFactory> make_handlers(World& world);

/// Loopback, any port.
[[nodiscard]] ServerOptions options();
[[nodiscard]] Address address_of(const Server& server);

/// Says hello with `behaviour` and returns the answer's program_version, which repeats it.
std::string hello(NodeConnection& connection,
                  const std::string& behaviour,
                  milliseconds deadline = kAmple);
/// The same on a new connection.
std::string hello(const Server& server, const std::string& behaviour);

/// Waits until `holds`, looking every few milliseconds; false after ten seconds.
[[nodiscard]] bool eventually(const std::function<bool()>& holds);

/// A TCP socket without any protocol.
class RawPeer {
 public:
  explicit RawPeer(Descriptor fd) : fd_(std::move(fd)) {}
  explicit RawPeer(const Address& address) : fd_(connect_to(address, kAmple, nullptr)) {}

  /// Sends what the peer takes; false if it closed the connection.
  bool send(std::string_view bytes);
  /// Reads one frame with its header; whatever came if the peer ends early.
  std::string receive_frame();
  /// Reads and drops all until the peer closes the connection; false if it stays open so long.
  [[nodiscard]] bool closed_within(milliseconds timeout);
  /// Ends our side and reads what still comes.
  std::string finish();

 private:
  std::string receive(std::size_t bytes, milliseconds timeout);
  Descriptor fd_;
};

/// A listening socket whose connections are scripted by the test.
class RawListener {
 public:
  explicit RawListener(int backlog = 16);
  [[nodiscard]] Address address() const { return {"127.0.0.1", port_}; }
  RawPeer accept();

 private:
  Descriptor fd_;
  std::uint16_t port_ = 0;
};

/// `bytes` with their length before them.
[[nodiscard]] std::string frame(std::string_view bytes);
/// `value` as Thrift writes numbers.
[[nodiscard]] std::string big_endian(std::uint64_t value, int bytes);
/// The frame of a valid hello call.
[[nodiscard]] std::string hello_call(const std::string& behaviour);
/// The frame of a valid answer to it, from a call named `method`.
[[nodiscard]] std::string hello_answer(const std::string& behaviour,
                                       const std::string& method = "hello");

/// Resident bytes, threads and open file descriptors of this process.
[[nodiscard]] std::int64_t resident_bytes();
[[nodiscard]] int thread_count();
[[nodiscard]] int descriptor_count();

}  // namespace gradmill::rpc::test
