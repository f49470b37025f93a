#include "rpc/server.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/check.h"
#include "rpc/framed_transport.h"
#include "rpc/guard.h"
#include "rpc/interrupt.h"
#include "rpc/listener.h"
#include "rpc/process_setup.h"
#include "rpc/protocol.h"
#include "rpc/threaded_server.h"

namespace gradmill::rpc {
namespace {

// After the drain timeout all sockets fail, so only a handler that computes can take longer.
constexpr std::chrono::milliseconds kAbortTimeout{1'000};

}  // namespace

// Shared with the serving thread, which may outlive the Server.
struct Server::State {
  State(const ServerOptions& server_options,
        std::shared_ptr<apache::thrift::TProcessorFactory> handlers)
      : options(server_options),
        listener(std::make_shared<Listener>(options.address, drain)),
        server(std::make_shared<GuardFactory>(std::move(handlers)),
               listener,
               std::make_shared<FramedTransportFactory>(
                   FrameBounds{options.idle_timeout, options.frame_deadline, drain, abort}),
               make_protocol_factory()),
        port(listener->port()) {
    GRADMILL_CHECK(options.clients_max >= 1);
    server.setConcurrentClientLimit(options.clients_max);
  }

  void serve();
  bool wait_for_end(std::chrono::milliseconds timeout);

  const ServerOptions options;
  const std::shared_ptr<Interrupt> drain = std::make_shared<Interrupt>();
  const std::shared_ptr<Interrupt> abort = std::make_shared<Interrupt>();
  const std::shared_ptr<Listener> listener;
  ThreadedServer server;
  const std::uint16_t port;

  std::mutex mutex;
  std::condition_variable changed;
  bool ended = true;   // Guarded by mutex: no thread of this server runs.
  std::thread thread;  // Guarded by mutex.
};

void Server::State::serve() {
  for (bool done = false; !done;) {
    try {
      server.serve();
      done = true;
    } catch (const std::exception& error) {  // Out of memory for a connection, for example.
      warn_at_a_limited_rate(options.name + ": " + error.what());
      std::this_thread::sleep_for(kAcceptRetryPause);
    }
  }
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

bool Server::State::wait_for_end(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, timeout, [this] { return ended; });
}

Server::Server(const ServerOptions& options,
               std::shared_ptr<apache::thrift::TProcessorFactory> handlers) {
  ignore_sigpipe();
  redirect_thrift_output();
  state_ = std::make_shared<State>(options, std::move(handlers));
}

Server::~Server() { stop(); }

std::uint16_t Server::port() const noexcept { return state_->port; }

std::int64_t Server::clients() const { return state_->server.getConcurrentClientCount(); }

void Server::start() {
  const std::lock_guard lock(state_->mutex);
  GRADMILL_CHECK(!state_->thread.joinable());
  state_->thread = std::thread([state = state_] { state->serve(); });
  state_->ended = false;
}

bool Server::stop() {
  state_->drain->trigger();
  bool ended = state_->wait_for_end(state_->options.drain_timeout);
  if (!ended) {
    state_->abort->trigger();
    ended = state_->wait_for_end(kAbortTimeout);
  }
  std::thread thread;
  {
    const std::lock_guard lock(state_->mutex);
    thread = std::move(state_->thread);
  }
  if (thread.joinable()) {
    if (ended) {
      thread.join();
    } else {
      spdlog::warn("{}: a call does not end; leaving it behind", state_->options.name);
      thread.detach();
    }
  }
  return ended;
}

}  // namespace gradmill::rpc
