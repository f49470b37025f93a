// Bytes under TLS.
#pragma once

#include <optional>
#include <string>

#include <thrift/transport/TTransportException.h>

#include "base/error.h"
#include "rpc/descriptor.h"
#include "rpc/openssl.h"
#include "rpc/stream.h"

namespace gradmill::rpc {

/// What two peers cannot agree on; what() is for the middle of a line that begins with the peer.
class TlsFailure final : public apache::thrift::transport::TTransportException {
 public:
  /// kNotAllowed when one side does not accept the other's certificate, else kUnreachable.
  TlsFailure(ErrorCode code, const std::string& why)
      : TTransportException(NOT_OPEN, why), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// A Stream under TLS. Throws TlsFailure. A failed handshake is final.
class TlsStream final : public Stream {
 public:
  /// Takes over `fd` and `ssl`, which knows its side and what to demand of the peer. `target` is
  /// the host that was dialled; empty: the peer has dialled us.
  TlsStream(Descriptor fd, openssl::Ssl ssl, std::string target);
  ~TlsStream() override { close(); }

  Progress handshake() override;
  Progress read(std::uint8_t* buffer, std::uint32_t bytes) override;
  Progress write(const std::uint8_t* buffer, std::uint32_t bytes) override;
  [[nodiscard]] bool quiet() const noexcept override;
  void close() noexcept override;
  [[nodiscard]] int fd() const noexcept override { return fd_.get(); }
  [[nodiscard]] std::optional<PeerIdentity> peer() const override;

 private:
  // What came of OpenSSL's last step, which returned `result` <= 0.
  Progress progress_of(int result);
  [[noreturn]] void fail();

  Descriptor fd_;
  openssl::Ssl ssl_;
  const std::string target_;
  bool usable_ = false;  // The handshake is over and nothing has failed since.
};

}  // namespace gradmill::rpc
