#include "rpc/server.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <list>
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
#include "rpc/socket.h"
#include "rpc/tls_stream.h"

namespace gradmill::rpc {
namespace {

using apache::thrift::TException;

// After the drain timeout all sockets fail, so only a handler that computes can take longer.
constexpr std::chrono::milliseconds kAbortTimeout{1'000};

// One connection: its transport, protocol and handler. Made by the accepting thread, run by one of
// its own.
class Session {
 public:
  Session(std::shared_ptr<Socket> socket,
          FrameBounds bounds,
          std::shared_ptr<apache::thrift::TProcessorFactory> handlers,
          const CallFaults& faults)
      : socket_(std::move(socket)),
        bounds_(std::move(bounds)),
        handlers_(std::move(handlers)),
        faults_(faults) {}

  // Serves calls until the connection ends.
  void run() noexcept {
    try {
      socket_->bound(Socket::Clock::now() + bounds_.frame, bounds_.drain.get());
      socket_->handshake();
      serve();
    } catch (const TlsFailure& error) {
      log_refusal(error);
    } catch (const TException& error) {
      log_end(error);
    } catch (const std::exception& error) {  // The factory failed.
      warn_at_a_limited_rate(error.what());
    }
    socket_->close();
  }

 private:
  void serve() {
    const auto protocol =
        std::make_shared<Protocol>(std::make_shared<FramedTransport>(socket_, bounds_));
    Guard processor(handlers_->getProcessor({protocol, protocol, socket_}), faults_);
    while (processor.process(protocol, protocol, nullptr)) {
    }
  }

  void log_refusal(const TlsFailure& error) const noexcept {
    try {
      warn_at_a_limited_rate("refused " + socket_->getOrigin() + ": " + error.what());
    } catch (const std::exception&) {  // Out of memory for the text: go on without.
    }
  }

  void log_end(const TException& error) const noexcept {
    try {
      debug_at_a_limited_rate("connection of " + socket_->getOrigin() + " ends: " + error.what());
    } catch (const std::exception&) {  // Out of memory for the text: go on without.
    }
  }

  const std::shared_ptr<Socket> socket_;
  const FrameBounds bounds_;
  const std::shared_ptr<apache::thrift::TProcessorFactory> handlers_;
  const CallFaults faults_;
};

}  // namespace

// Shared with the serving thread, which may outlive the Server.
struct Server::State {
  State(const ServerOptions& server_options,
        std::shared_ptr<apache::thrift::TProcessorFactory> processors)
      : options(server_options), handlers(std::move(processors)), listener(options.address) {
    GRADMILL_CHECK(options.clients_max >= 1);
  }

  void serve();
  std::shared_ptr<Socket> accept();
  void start_session(std::shared_ptr<Socket> socket);
  void end_session(std::list<std::thread>::iterator worker);
  void join_finished();
  bool wait_for_end(std::chrono::milliseconds timeout);

  const ServerOptions options;
  const std::shared_ptr<apache::thrift::TProcessorFactory> handlers;
  const std::shared_ptr<Interrupt> drain = std::make_shared<Interrupt>();
  const std::shared_ptr<Interrupt> abort = std::make_shared<Interrupt>();
  Listener listener;

  std::mutex mutex;
  std::condition_variable changed;
  bool ended = true;                // No thread of this server runs.
  std::thread thread;               // Runs serve().
  std::list<std::thread> running;   // One for each session.
  std::list<std::thread> finished;  // About to end, to be joined.
};

void Server::State::serve() {
  while (!drain->triggered()) {
    try {
      if (auto socket = accept()) {
        start_session(std::move(socket));
      }
    } catch (const std::exception& error) {  // No thread or no memory left, or the factory failed.
      warn_at_a_limited_rate("cannot serve a connection: " + std::string(error.what()));
      std::this_thread::sleep_for(kAcceptRetryPause);
    } catch (...) {
      warn_at_a_limited_rate("cannot serve a connection");
    }
  }
  listener.close();
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return running.empty(); });
  }
  join_finished();
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

// Waits until there is room for one more client, then for the client; null once drained.
std::shared_ptr<Socket> Server::State::accept() {
  {
    std::unique_lock lock(mutex);
    changed.wait(lock,
                 [this] { return running.size() < static_cast<std::size_t>(options.clients_max); });
  }
  std::optional<Accepted> accepted = listener.accept(*drain);
  if (!accepted) {
    return nullptr;
  }
  std::unique_ptr<Stream> stream = options.tls == nullptr
                                       ? std::make_unique<PlainStream>(std::move(accepted->fd))
                                       : options.tls->accept(std::move(accepted->fd));
  return std::make_shared<Socket>(std::move(stream), std::move(accepted->origin));
}

void Server::State::start_session(std::shared_ptr<Socket> socket) {
  auto session = std::make_shared<Session>(
      std::move(socket),
      FrameBounds{options.idle_timeout, options.frame_deadline, drain, abort},
      handlers,
      options.faults);
  const std::lock_guard lock(mutex);
  running.emplace_front();
  const auto worker = running.begin();
  try {
    *worker = std::thread([this, worker, held = std::move(session)]() mutable {
      held->run();
      held = nullptr;
      end_session(worker);
    });
  } catch (...) {
    running.erase(worker);
    throw;
  }
}

void Server::State::end_session(std::list<std::thread>::iterator worker) {
  join_finished();
  const std::lock_guard lock(mutex);
  finished.splice(finished.end(), running, worker);
  changed.notify_all();
}

void Server::State::join_finished() {
  std::list<std::thread> ending;
  {
    const std::lock_guard lock(mutex);
    ending.swap(finished);
  }
  // They are past their last use of the mutex, so none of these waits is for long.
  for (std::thread& each : ending) {
    each.join();
  }
}

bool Server::State::wait_for_end(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, timeout, [this] { return ended; });
}

std::optional<PeerIdentity> peer_of(const apache::thrift::TConnectionInfo& connection) {
  const auto socket = std::dynamic_pointer_cast<Socket>(connection.transport);
  GRADMILL_CHECK(socket != nullptr);
  return socket->peer();
}

Server::Server(const ServerOptions& options,
               std::shared_ptr<apache::thrift::TProcessorFactory> handlers) {
  ignore_sigpipe();
  redirect_thrift_output();
  state_ = std::make_shared<State>(options, std::move(handlers));
}

Server::~Server() { stop(); }

std::uint16_t Server::port() const noexcept { return state_->listener.port(); }

std::int64_t Server::clients() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<std::int64_t>(state_->running.size());
}

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
