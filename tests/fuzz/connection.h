// A connection to one of our servers, without the server and the network: the input comes out of
// a socket, and what handles it is what handles it in the programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <thrift/TProcessor.h>

namespace gradmill::fuzz {

/// What stands between the messages of an input.
inline constexpr std::string_view kBetweenMessages = "\n--\n";

/// How a call was answered.
struct Answer {
  std::string method;
  bool is_success = false;  ///< As opposed to an exception.
};

/// Serves `input` to the end: a byte, and messages without their frames, or with the byte's bit 1
/// all that comes over the connection. Unless its bit 0 is set, a hello goes before. Aborts on an
/// answer that is none. Calls wait for 1 ms at most.
[[nodiscard]] std::vector<Answer> serve(apache::thrift::TProcessorFactory& handlers,
                                        std::string_view input);

}  // namespace gradmill::fuzz
