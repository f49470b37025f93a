// A client's connection to one Thrift service.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/address.h"
#include "base/byte_budget.h"
#include "rpc/client_channel.h"
#include "rpc/interrupt.h"
#include "rpc/limits.h"
#include "rpc/traffic.h"

namespace gradmill::rpc {

/// Calls a service through the client that Thrift generated for it. Connects when it is called, and
/// keeps the connection until something fails. For one thread at a time, except interrupt().
template <class Client>
class Connection {
 public:
  /// Runs after each connect, before the call: says hello. May throw as calls do.
  using Hook = std::function<void(Client&)>;

  explicit Connection(Address address, ConnectionOptions options = {}, Hook on_connect = {})
      : channel_(std::move(address), std::move(options)), on_connect_(std::move(on_connect)) {}

  /// Returns what `f(client)` returns. Connecting, the hook and all that `f` calls have until
  /// `deadline` from now, together.
  ///
  /// Exceptions that the IDL declares pass through. All else drops the connection, for a late
  /// answer must never meet the next call. Failures of the connection become
  /// Error(kUnreachable, "HOST:PORT: ..."), a ConnectionRefused where nobody listens, Error(
  /// kNotAllowed) where one side does not accept the other's certificate; a message too large to
  /// send Error(kInvalidInput), interrupt() Error(kUnavailable); other exceptions of `f` and of the
  /// hook pass unchanged.
  ///
  /// When the connection is an old one and its end is all that comes back, the peer had given it up
  /// before the call: `f` is run once more on a new one. So `f` must be fit to run twice.
  template <class F>
  std::invoke_result_t<F&, Client&> call(std::chrono::milliseconds deadline, F&& f) {
    channel_.begin_call(deadline);
    for (;;) {
      bool established = false;
      try {
        if (!channel_.reuse()) {
          client_ = nullptr;
          client_ = std::make_unique<Client>(channel_.connect());
          if (on_connect_) {
            on_connect_(*client_);
          }
          channel_.hello_is_over();
        }
        established = true;
        return f(*client_);
      } catch (...) {
        channel_.handle_exception(established);
      }
    }
  }

  /// Closes the connection; the next call makes a new one.
  void drop() noexcept { channel_.drop(); }
  /// Makes the call in progress and all later ones fail with Error(kUnavailable), at once. Safe
  /// from any thread. Applies to all connections with the same Interrupt.
  void interrupt() noexcept { channel_.interrupt(); }

  [[nodiscard]] const Address& address() const noexcept { return channel_.address(); }
  /// Whether a connection is open; the peer may have closed it since.
  [[nodiscard]] bool is_open() const noexcept { return channel_.is_open(); }
  /// Bytes to and from the peer since construction, over all connections. Safe from any thread.
  [[nodiscard]] const Traffic& traffic() const noexcept { return channel_.traffic(); }

 private:
  internal::ClientChannel channel_;
  std::unique_ptr<Client> client_;
  Hook on_connect_;
};

}  // namespace gradmill::rpc
