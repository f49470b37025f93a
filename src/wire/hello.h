// The first call on a connection, from the server's side.
#pragma once

#include <wire/common_types.h>

namespace gradmill::wire {

/// Whether the other side of one connection has said hello. One a connection, so for one thread.
class HelloGate {
 public:
  /// Checks the version and fills in ours; `role` is what this server is. Throws InvalidRequest.
  void open(HelloResponse& response, const HelloRequest& request, Role::type role);
  /// Throws InvalidRequest unless hello came first.
  void check() const;

 private:
  bool opened_ = false;
};

}  // namespace gradmill::wire
