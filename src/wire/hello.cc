#include "wire/hello.h"

#include <wire/common_constants.h>

#include "wire/wire_convert.h"

namespace gradmill::wire {

void HelloGate::open(HelloResponse& response, const HelloRequest& request, Role::type role) {
  translate([&] { check_version(request.protocol_version, "the caller"); });
  response.protocol_version = g_common_constants.PROTOCOL_VERSION;
  response.role = role;
  response.program_version = GRADMILL_VERSION;
  opened_ = true;
}

void HelloGate::check() const {
  if (!opened_) {
    throw with_message<InvalidRequest>("the first call on a connection must be hello");
  }
}

}  // namespace gradmill::wire
