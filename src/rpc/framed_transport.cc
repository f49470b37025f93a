#include "rpc/framed_transport.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include <arpa/inet.h>

#include "rpc/protocol.h"

namespace gradmill::rpc {
namespace {

using apache::thrift::transport::TTransportException;

constexpr std::uint32_t kHeaderBytes = 4;

[[noreturn]] void refuse(const char* why) {
  throw TTransportException(TTransportException::CORRUPTED_DATA, why);
}

}  // namespace

FramedTransport::FramedTransport(std::shared_ptr<Socket> socket,
                                 std::optional<FrameBounds> bounds,
                                 std::shared_ptr<ByteBudget> budget)
    : TFramedTransport(socket, DEFAULT_BUFFER_SIZE, kKeptBufferBytesMax, make_configuration()),
      socket_(std::move(socket)),
      bounds_(std::move(bounds)),
      room_(std::move(budget)),
      frame_due_(bounds_.has_value()) {
  read_nothing();
}

bool FramedTransport::readFrame() {
  if (!std::exchange(frame_due_, false)) {
    refuse("a message runs past its frame");
  }
  room_.give_back();  // The last call is done with.
  if (bounds_) {
    await_frame();
  }
  std::uint32_t length_on_wire = 0;
  auto* const header = reinterpret_cast<std::uint8_t*>(&length_on_wire);
  if (!read_all(header, 1)) {
    return false;
  }
  if (bounds_) {
    const auto now = Socket::Clock::now();
    socket_->bound(now + bounds_->frame, bounds_->abort.get());
    if (!first_frame_) {
      bounds_->idleness->begin(now + kMessagePatience);
    }
  }
  if (!read_all(header + 1, kHeaderBytes - 1)) {
    refuse("the stream ends inside a frame");
  }
  const std::uint32_t length = ntohl(length_on_wire);
  if (length == 0 || length > static_cast<std::uint32_t>(kFrameBytesMax)) {
    refuse("a frame has no acceptable length");
  }
  read_body(length);
  if (bounds_ && !bounds_->idleness->end()) {
    throw TTransportException(TTransportException::INTERRUPTED, "gave way to another connection");
  }
  first_frame_ = false;
  setReadBuffer(rBuf_.get(), length);
  updateKnownMessageSize(static_cast<long>(length));
  return true;
}

void FramedTransport::await_frame() {
  if (bounds_->drain->triggered()) {
    throw TTransportException(TTransportException::INTERRUPTED, "the server stops");
  }
  // Who connects has something to say: only connections that did may be idle for long.
  const auto now = Socket::Clock::now();
  socket_->bound(now + (first_frame_ ? bounds_->frame : bounds_->idle), bounds_->drain.get());
  if (!first_frame_) {
    bounds_->idleness->begin(now);
  }
}

// What is announced costs memory only once a first part of it has come.
void FramedTransport::read_body(std::uint32_t length) {
  const std::uint32_t first = std::min(length, kKeptBufferBytesMax);
  if (first > rBufSize_) {
    rBufSize_ = 0;
    rBuf_.reset(new std::uint8_t[first]);
    rBufSize_ = first;
  }
  bool is_whole = read_all(rBuf_.get(), first);
  if (is_whole && length > first) {
    take_room(length);
    boost::scoped_array<std::uint8_t> larger(new std::uint8_t[length]);
    std::memcpy(larger.get(), rBuf_.get(), first);
    rBuf_.swap(larger);
    rBufSize_ = length;
    is_whole = read_all(rBuf_.get() + first, length - first);
  }
  if (!is_whole) {
    refuse("the stream ends inside a frame");
  }
}

void FramedTransport::take_room(std::uint32_t bytes) {
  if (!room_.take(2 * std::uint64_t{bytes}, socket_->deadline())) {
    throw NoRoomForMessage();
  }
}

bool FramedTransport::read_all(std::uint8_t* buffer, std::uint32_t bytes) {
  while (bytes > 0) {
    const std::uint32_t got = socket_->read(buffer, bytes);
    if (got == 0) {
      return false;
    }
    buffer += got;
    bytes -= got;
  }
  return true;
}

std::uint32_t FramedTransport::readEnd() {
  if (rBase_ != rBound_) {
    refuse("a frame is longer than its message");
  }
  frame_due_ = bounds_.has_value();
  const std::uint32_t bytes = TFramedTransport::readEnd();
  read_nothing();
  // Thrift would count the bytes of all messages up to the next flush against the limit of one.
  resetConsumedMessageSize();
  if (!bounds_) {
    room_.give_back();  // What became of the message is the caller's.
  }
  return bytes;
}

void FramedTransport::writeSlow(const std::uint8_t* buffer, std::uint32_t bytes) {
  constexpr std::uint32_t kCapacityMax = kHeaderBytes + static_cast<std::uint32_t>(kFrameBytesMax);
  const auto have = static_cast<std::uint32_t>(wBase_ - wBuf_.get());
  if (bytes > kCapacityMax - have) {
    drop_unsent();
    throw MessageTooLarge();
  }
  // Growing is what brings us here, so a buffer never holds more than one frame may.
  const std::uint32_t capacity = std::min(std::max(2 * wBufSize_, have + bytes), kCapacityMax);
  if (capacity > kKeptBufferBytesMax) {
    if (bounds_) {
      socket_->bound(Socket::Clock::now() + bounds_->frame, bounds_->abort.get());
    }
    take_room(capacity - (wBufSize_ > kKeptBufferBytesMax ? wBufSize_ : 0));
  }
  boost::scoped_array<std::uint8_t> larger(new std::uint8_t[capacity]);
  std::memcpy(larger.get(), wBuf_.get(), have);
  std::memcpy(larger.get() + have, buffer, bytes);
  wBuf_.swap(larger);
  wBufSize_ = capacity;
  setWriteBuffer(wBuf_.get(), capacity);
  wBase_ += have + bytes;
}

void FramedTransport::flush() {
  if (bounds_) {
    const auto now = Socket::Clock::now();
    socket_->bound(now + bounds_->frame, bounds_->abort.get());
    // From the moment that the peer has the answer, and not when this thread gets to run again.
    const bool is_small = wBase_ - wBuf_.get() <= std::ptrdiff_t{kKeptBufferBytesMax};
    bounds_->idleness->begin(is_small ? now : now + kMessagePatience);
  } else {
    frame_due_ = true;
  }
  TFramedTransport::flush();
}

void FramedTransport::close() {
  drop_unsent();
  socket_->close();
}

void FramedTransport::drop_unsent() { wBase_ = wBuf_.get() + kHeaderBytes; }

}  // namespace gradmill::rpc
