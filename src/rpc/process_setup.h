// What a process needs once before it speaks Thrift.
#pragma once

#include <string_view>

namespace gradmill::rpc {

/// Ignores SIGPIPE, so that a peer that goes away is an error of one connection. Thread-safe;
/// Server and Connection call it.
void ignore_sigpipe();

/// Sends what Thrift would print to stderr to the log instead, at debug level, a few lines a
/// second at most: hostile peers decide how often Thrift complains. Thread-safe, once a process;
/// Server and Connection call it.
void redirect_thrift_output();

/// Logs one line as a warning, a few a second at most. `text` may hold bytes of a peer: unprintable
/// ones are replaced and the end is cut. Thread-safe, never throws.
void warn_at_a_limited_rate(std::string_view text) noexcept;

/// The same at debug level, with a limit of its own: for what hostile peers can provoke.
void debug_at_a_limited_rate(std::string_view text) noexcept;

}  // namespace gradmill::rpc
