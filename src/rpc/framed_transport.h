// Thrift's framed transport with the limits that it lacks.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <thrift/transport/TBufferTransports.h>

#include "base/byte_budget.h"
#include "rpc/idleness.h"
#include "rpc/interrupt.h"
#include "rpc/limits.h"
#include "rpc/socket.h"

namespace gradmill::rpc {

/// A message that is too large to send; nothing of it was sent.
class MessageTooLarge : public apache::thrift::transport::TTransportException {
 public:
  MessageTooLarge()
      : TTransportException(BAD_ARGS,
                            "a message is larger than " + std::to_string(kFrameBytesMax) +
                                " bytes and was not sent") {}
};

/// There was no room for a message in time; see ByteBudget.
class NoRoomForMessage : public apache::thrift::transport::TTransportException {
 public:
  NoRoomForMessage()
      : TTransportException(TIMED_OUT, "no room for a message: too many large ones at a time") {}
};

/// What bounds the frames of a server's connections.
struct FrameBounds {
  std::chrono::milliseconds idle = kIdleTimeout;     ///< Wait for the next frame's first byte.
  std::chrono::milliseconds frame = kFrameDeadline;  ///< From there to its last; also to send one.
  std::shared_ptr<Interrupt> drain;                  ///< Ends waits for a frame's first byte.
  std::shared_ptr<Interrupt> abort;                  ///< Ends all other waits.
  std::shared_ptr<Idleness> idleness = std::make_shared<Idleness>();  ///< Of this connection.
};

/// One message a frame, each of at most kFrameBytesMax, in both directions. A message that does not
/// fit its frame exactly, or a second answer to one call, is an error (CORRUPTED_DATA) and not a
/// wait for more. Large buffers are freed after each message, and take room of a budget: twice
/// their size, for what is made of them. One thread at a time.
class FramedTransport final : public apache::thrift::transport::TFramedTransport {
 public:
  /// With `bounds`: the server's end of a connection. Without: the client's, whose user bounds the
  /// socket himself and who may read one frame for each that it flushes. No `budget`: no bound on
  /// the sum of messages. Throws NoRoomForMessage besides what Socket throws.
  FramedTransport(std::shared_ptr<Socket> socket,
                  std::optional<FrameBounds> bounds,
                  std::shared_ptr<ByteBudget> budget = nullptr);

  void flush() override;
  std::uint32_t readEnd() override;
  /// Drops what was written and not flushed; Thrift's own would send half a message.
  void close() override;

 protected:
  bool readFrame() override;
  void writeSlow(const std::uint8_t* buffer, std::uint32_t bytes) override;

 private:
  // False at the end of the stream; `buffer` is not optional after its first byte.
  bool read_all(std::uint8_t* buffer, std::uint32_t bytes);
  void await_frame();
  void read_body(std::uint32_t length);
  void take_room(std::uint32_t bytes);
  void drop_unsent();
  // Thrift adds to the start of what is there to read before it looks whether there is anything, so
  // that start may not be null.
  void read_nothing() { setReadBuffer(&nothing_, 0); }

  std::shared_ptr<Socket> socket_;
  std::optional<FrameBounds> bounds_;
  ByteShare room_;            // For the messages of one call.
  bool frame_due_;            // A new message may begin.
  std::uint8_t nothing_ = 0;  // What there is to read between frames.
  bool first_frame_ = true;   // Nothing came on this connection yet.
};

}  // namespace gradmill::rpc
