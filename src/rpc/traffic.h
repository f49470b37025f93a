// What went over the connections to one peer.
#pragma once

#include <atomic>
#include <cstdint>

namespace gradmill::rpc {

/// Bytes of messages; what TLS adds to them does not count. Sockets that share one add to it; any
/// thread may read it.
struct Traffic {
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> received = 0;
};

}  // namespace gradmill::rpc
