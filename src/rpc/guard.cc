#include "rpc/guard.h"

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
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
[[noreturn]] void close_connection(const char* why) {
  throw TTransportException(TTransportException::INTERRUPTED, why);
}

// Generated code names a method "Service.method".
std::string_view method_of(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// Generated code reports an undeclared exception here, from inside its catch block, and then sends
// what() to the peer unless this throws.
// What postRead and preWrite throw leaves the processor before anything is executed or written.
class HandlerEvents final : public apache::thrift::TProcessorEventHandler {
 public:
  explicit HandlerEvents(CallFaults faults) : faults_(std::move(faults)) {}

  void postRead(void* /*context*/, const char* method, std::uint32_t /*bytes*/) override {
    if (faults_.admit && !faults_.admit(method_of(method))) {
      close_connection("a request was dropped on purpose");
    }
  }

  void preWrite(void* /*context*/, const char* method) override {
    if (faults_.answer && !faults_.answer(method_of(method))) {
      close_connection("an answer was dropped on purpose");
    }
  }

  void handlerError(void* /*context*/, const char* method) override {
    log_current_exception(method);
    close_connection("a handler failed");
  }

 private:
  const CallFaults faults_;
};

}  // namespace

Guard::Guard(std::shared_ptr<apache::thrift::TProcessor> guarded, CallFaults faults)
    : guarded_(std::move(guarded)) {
  guarded_->setEventHandler(std::make_shared<HandlerEvents>(std::move(faults)));
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
    close_connection("a handler failed");
  }
}

}  // namespace gradmill::rpc
