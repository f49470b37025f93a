// Calls that a server fails on purpose.
#pragma once

#include <functional>
#include <string_view>

namespace gradmill::rpc {

/// What happens to the calls of a server, by the name of each. Empty functions: nothing. Called by
/// all threads of the server, and must not throw.
struct CallFaults {
  /// A call came. May take its time; false closes the connection, and the call is not executed.
  std::function<bool(std::string_view method)> admit;
  /// A call was executed. False closes the connection, and the call is not answered.
  std::function<bool(std::string_view method)> answer;
};

}  // namespace gradmill::rpc
