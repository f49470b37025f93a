// How bytes go over a descriptor that never blocks: as they are, or under TLS.
#pragma once

#include <cstdint>
#include <optional>

#include "rpc/descriptor.h"
#include "rpc/peer_identity.h"

namespace gradmill::rpc {

/// What came of a step.
struct Progress {
  enum class State {
    kDone,         ///< `bytes` were moved, at least one; or the handshake is over.
    kNeedsInput,   ///< Nothing was moved: try again once the descriptor can be read.
    kNeedsOutput,  ///< The same, once it can be written.
    kEnded,        ///< The peer closed or reset the connection.
    kFailed,       ///< With `error`.
  };
  State state = State::kDone;
  std::uint32_t bytes = 0;
  int error = 0;  ///< An errno.
};

/// A connected, non-blocking descriptor and what is spoken over it. No call waits. For one thread
/// at a time. Other streams than plain ones may throw a TTransportException that says why.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// A step of what must be over before the first read or write.
  virtual Progress handshake() = 0;
  virtual Progress read(std::uint8_t* buffer, std::uint32_t bytes) = 0;
  /// After kNeedsInput or kNeedsOutput, for the same bytes again.
  virtual Progress write(const std::uint8_t* buffer, std::uint32_t bytes) = 0;
  /// Whether nothing came that was not read yet, not even an end.
  [[nodiscard]] virtual bool quiet() const noexcept = 0;
  virtual void close() noexcept = 0;

  /// Negative once closed.
  [[nodiscard]] virtual int fd() const noexcept = 0;
  /// Who the peer has proved to be in the handshake; nothing without TLS.
  [[nodiscard]] virtual std::optional<PeerIdentity> peer() const = 0;
};

/// Bytes as they are.
class PlainStream final : public Stream {
 public:
  explicit PlainStream(Descriptor fd) : fd_(std::move(fd)) {}

  Progress handshake() override { return {}; }
  Progress read(std::uint8_t* buffer, std::uint32_t bytes) override;
  Progress write(const std::uint8_t* buffer, std::uint32_t bytes) override;
  [[nodiscard]] bool quiet() const noexcept override;
  void close() noexcept override { fd_.close(); }
  [[nodiscard]] int fd() const noexcept override { return fd_.get(); }
  [[nodiscard]] std::optional<PeerIdentity> peer() const override { return std::nullopt; }

 private:
  Descriptor fd_;
};

/// What a system call that left `error` in errno means; `waiting` if it would have blocked.
[[nodiscard]] Progress progress_of(int error, Progress::State waiting) noexcept;

/// Whether a descriptor is open, and neither bytes nor an end wait in it.
[[nodiscard]] bool is_silent(int fd) noexcept;

}  // namespace gradmill::rpc
