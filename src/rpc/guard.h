// Stands between Thrift's server and a handler.
#pragma once

#include <memory>

#include <thrift/TProcessor.h>

#include "rpc/call_faults.h"

namespace gradmill::rpc {

/// Runs a generated processor so that whatever its handler throws besides the exceptions that the
/// IDL declares closes the connection and nothing else: Thrift alone would end the process, or send
/// what() to the peer. The text goes to the log. Also fails calls on purpose, if it is told to. One
/// connection at a time.
class Guard final : public apache::thrift::TProcessor {
 public:
  /// Takes the place of the event handler of `guarded`.
  Guard(std::shared_ptr<apache::thrift::TProcessor> guarded, CallFaults faults);

  /// Throws TException alone.
  bool process(std::shared_ptr<apache::thrift::protocol::TProtocol> in,
               std::shared_ptr<apache::thrift::protocol::TProtocol> out,
               void* context) override;

 private:
  std::shared_ptr<apache::thrift::TProcessor> guarded_;
};

}  // namespace gradmill::rpc
