// A listening TCP socket that no single failure ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <thrift/transport/TServerTransport.h>

#include "base/address.h"
#include "rpc/interrupt.h"

namespace gradmill::rpc {

/// Accepts connections for a Thrift server, as Sockets. Stands in for TServerSocket, after whose
/// first EMFILE a server is deaf for ever, and which would rather bind an IPv6 address than the
/// IPv4 one of the same name. One thread accepts.
class Listener final : public apache::thrift::transport::TServerTransport {
 public:
  /// Binds exactly `address` (port 0: any free one) and listens. Throws Error(kInvalidInput,
  /// "cannot listen on HOST:PORT: ..."). `stop` ends accept.
  Listener(const Address& address, std::shared_ptr<Interrupt> stop);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() override;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] bool isOpen() const override { return fd_ >= 0; }
  void listen() override {}
  void interrupt() override { stop_->trigger(); }
  void close() override;

 protected:
  /// Throws TTransportException(INTERRUPTED) once stopped, and nothing else of that kind.
  std::shared_ptr<apache::thrift::transport::TTransport> acceptImpl() override;

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::shared_ptr<Interrupt> stop_;
};

}  // namespace gradmill::rpc
