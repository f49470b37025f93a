#include "rpc/client_channel.h"

#include <algorithm>
#include <typeinfo>
#include <utility>

#include <thrift/TApplicationException.h>
#include <thrift/protocol/TProtocolException.h>

#include "base/error.h"
#include "rpc/connect.h"
#include "rpc/process_setup.h"
#include "rpc/protocol.h"
#include "rpc/tls_stream.h"

namespace gradmill::rpc::internal {
namespace {

using apache::thrift::TApplicationException;
using apache::thrift::TException;
using apache::thrift::protocol::TProtocolException;
using apache::thrift::transport::TTransportException;

constexpr const char* kNoValidMessage = "sent an answer that is no valid message";

// Only in a catch block: whether the current exception is one that the IDL declares.
bool is_declared() {
  try {
    throw;
  } catch (const TTransportException&) {
    return false;
  } catch (const TProtocolException&) {
    return false;
  } catch (const TApplicationException&) {
    return false;
  } catch (const TException& error) {
    return typeid(error) != typeid(TException);
  } catch (...) {
    return false;
  }
}

// What the peer itself wrote in the exception is not for our output.
const char* reason(const TApplicationException& error) {
  switch (error.getType()) {
    case TApplicationException::UNKNOWN_METHOD:
      return "does not know the call";
    case TApplicationException::MISSING_RESULT:
    case TApplicationException::WRONG_METHOD_NAME:
    case TApplicationException::INVALID_MESSAGE_TYPE:
    case TApplicationException::BAD_SEQUENCE_ID:
      return kNoValidMessage;
    default:
      return "failed to serve the call";
  }
}

}  // namespace

ClientChannel::ClientChannel(Address address, ConnectionOptions options)
    : address_(std::move(address)),
      connect_timeout_(options.connect_timeout),
      tls_(std::move(options.tls)),
      interrupt_(options.interrupt == nullptr ? std::make_shared<Interrupt>()
                                              : std::move(options.interrupt)),
      budget_(std::move(options.budget)),
      spin_(std::move(options.spin)) {
  ignore_sigpipe();
  redirect_thrift_output();
}

void ClientChannel::begin_call(std::chrono::milliseconds deadline) {
  if (interrupt_->triggered()) {
    drop();
    fail_interrupted();
  }
  deadline_ = deadline;
  deadline_time_ = Socket::Clock::now() + deadline;
}

bool ClientChannel::reuse() {
  // Silence is the only right state: an end is the server's idle timeout, and bytes belong to no
  // call of ours.
  if (socket_ == nullptr || !socket_->quiet()) {
    drop();
    return false;
  }
  reused_ = true;
  bytes_read_before_ = socket_->bytes_read();
  socket_->bound(deadline_time_, interrupt_.get());
  return true;
}

std::shared_ptr<apache::thrift::protocol::TProtocol> ClientChannel::connect() {
  drop();
  reused_ = false;
  const auto timeout = std::min(connect_timeout_, time_left());
  const auto connected_by = Socket::Clock::now() + timeout;
  Descriptor fd = connect_to(address_, timeout, interrupt_.get());
  std::unique_ptr<Stream> stream = tls_.context == nullptr
                                       ? std::make_unique<PlainStream>(std::move(fd))
                                       : tls_.context->connect(std::move(fd), address_.host);
  socket_ = std::make_shared<Socket>(std::move(stream), address_.text(), traffic_);
  shake_hands(connected_by);
  socket_->begin_waits_with(spin_.get());
  socket_->bound(deadline_time_, interrupt_.get());
  return std::make_shared<Protocol>(
      std::make_shared<FramedTransport>(socket_, std::nullopt, budget_));
}

void ClientChannel::shake_hands(Socket::Clock::time_point deadline) {
  socket_->bound(deadline, interrupt_.get());
  try {
    socket_->handshake();
  } catch (const TTransportException& error) {
    if (error.getType() == TTransportException::TIMED_OUT) {
      throw TlsFailure(ErrorCode::kUnreachable, "no TLS handshake in time");
    }
    throw;
  }
  const std::optional<PeerIdentity> peer = socket_->peer();
  if (peer && tls_.names != nullptr && !tls_.names->names.contains(peer->name)) {
    throw TlsFailure(ErrorCode::kNotAllowed,
                     "its certificate is that of '" + peer->name + "', whom " + tls_.names->option +
                         " does not name");
  }
}

void ClientChannel::handle_exception(bool established) {
  if (established && is_declared()) {
    throw;
  }
  const bool stale = reused_ && socket_ != nullptr && socket_->closed_by_peer() &&
                     socket_->bytes_read() == bytes_read_before_;
  if (stale && !interrupt_->triggered()) {
    drop();
    return;
  }
  // As a server with TLS does that meets a client without.
  const bool at_once = !established && !peer_is_known_ && tls_.context == nullptr &&
                       socket_ != nullptr && socket_->closed_by_peer() &&
                       socket_->bytes_read() == 0;
  try {
    if (at_once) {
      fail(
          "closed the connection at once; if it wants TLS, give --tls-cert, --tls-key and "
          "--tls-ca");
    }
    translate();
  } catch (...) {
    drop();
    throw;
  }
}

void ClientChannel::drop() noexcept {
  if (socket_ != nullptr) {
    socket_->close();
    socket_ = nullptr;
  }
}

void ClientChannel::fail(const std::string& why) const {
  throw Error(ErrorCode::kUnreachable, address_.text() + ": " + why);
}

void ClientChannel::fail_interrupted() const {
  throw Error(ErrorCode::kUnavailable, address_.text() + ": the call was interrupted");
}

void ClientChannel::translate() const {
  try {
    throw;
  } catch (const MessageTooLarge& error) {
    throw invalid_input(address_.text() + ": " + error.what());
  } catch (const TlsFailure& error) {
    throw Error(error.code(), address_.text() + ": " + error.what());
  } catch (const NoRoomForMessage& error) {
    throw Error(ErrorCode::kUnavailable, address_.text() + ": " + error.what());
  } catch (const TTransportException& error) {
    if (error.getType() == TTransportException::TIMED_OUT) {
      fail("no answer within " + duration_text(deadline_));
    }
    if (error.getType() == TTransportException::INTERRUPTED) {
      fail_interrupted();
    }
    if (socket_ != nullptr && socket_->closed_by_peer()) {
      fail("closed the connection");
    }
    if (socket_ != nullptr && socket_->failure() != 0) {
      fail(error_text(socket_->failure()));
    }
    fail(kNoValidMessage);
  } catch (const TProtocolException&) {
    fail(kNoValidMessage);
  } catch (const TApplicationException& error) {
    fail(reason(error));
  } catch (const TException& error) {
    if (typeid(error) == typeid(TException)) {
      fail(kNoValidMessage);
    }
    throw;
  }
}

std::chrono::milliseconds ClientChannel::time_left() const {
  return std::chrono::milliseconds(poll_timeout_ms(deadline_time_));
}

}  // namespace gradmill::rpc::internal
