// Names and addresses, and bounded connecting.
#pragma once

#include <netdb.h>

#include <chrono>
#include <memory>
#include <string>

#include <sys/socket.h>

#include "base/address.h"
#include "rpc/descriptor.h"
#include "rpc/interrupt.h"

namespace gradmill::rpc {

/// A list of socket addresses as getaddrinfo() gives it.
using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// The TCP addresses of `address`, at least one. Throws Error(kUnreachable) with a bare reason. A
/// name (not a number) is looked up for as long as the system's resolver likes.
[[nodiscard]] AddressList resolve(const Address& address, bool passive);

/// The text of an errno in the middle of a sentence.
[[nodiscard]] std::string error_text(int error);

/// "IP:port" of a socket address, "[IP]:port" of IPv6.
[[nodiscard]] std::string address_text(const sockaddr* address, socklen_t bytes);

/// A non-blocking socket, connected to `address`. Tries each of the host's addresses until one
/// accepts or `timeout` is over. Throws Error naming `address`: kUnavailable if `interrupt` (may be
/// null) was triggered, else kUnreachable, as ConnectionRefused if all of the addresses that this
/// machine can call refused. Thread-safe.
[[nodiscard]] Descriptor connect_to(const Address& address,
                                    std::chrono::milliseconds timeout,
                                    const Interrupt* interrupt);

/// "3 s" or "250 ms".
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

}  // namespace gradmill::rpc
