#include "rpc/guard.h"

#include <exception>
#include <string>
#include <utility>

#include <thrift/transport/TTransportException.h>

#include "rpc/framed_transport.h"
#include "rpc/process_setup.h"

namespace gradmill::rpc {
namespace {

using apache::thrift::TException;
using apache::thrift::transport::TTransportException;

// Only in a catch block. Says in the log what was caught.
void log_current_exception(const char* where) noexcept {
  try {
    throw;
  } catch (const std::exception& error) {
    try {
      warn_at_a_limited_rate(std::string(where) + " failed: " + error.what());
    } catch (...) {  // Out of memory for the text: go on without.
    }
  } catch (...) {
    warn_at_a_limited_rate("a handler threw something that is no exception");
  }
}

// Ends a connection without further ado.
[[noreturn]] void close_connection() {
  throw TTransportException(TTransportException::INTERRUPTED, "a handler failed");
}

// Generated code reports an undeclared exception here, from inside its catch block, and then sends
// what() to the peer unless this throws.
class HandlerErrors final : public apache::thrift::TProcessorEventHandler {
 public:
  void handlerError(void* /*context*/, const char* method) override {
    log_current_exception(method);
    close_connection();
  }
};

}  // namespace

Guard::Guard(std::shared_ptr<apache::thrift::TProcessor> guarded) : guarded_(std::move(guarded)) {
  guarded_->setEventHandler(std::make_shared<HandlerErrors>());
}

bool Guard::process(std::shared_ptr<apache::thrift::protocol::TProtocol> in,
                    std::shared_ptr<apache::thrift::protocol::TProtocol> out,
                    void* context) {
  try {
    return guarded_->process(std::move(in), std::move(out), context);
  } catch (const MessageTooLarge&) {
    log_current_exception("an answer");
    throw;
  } catch (const TException&) {
    throw;
  } catch (...) {
    log_current_exception("a call");
    close_connection();
  }
}

}  // namespace gradmill::rpc
