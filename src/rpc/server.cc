#include "rpc/server.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>
#include <thrift/transport/TTransportException.h>

#include "base/byte_budget.h"
#include "base/check.h"
#include "base/event_log.h"
#include "base/short_slices.h"
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
using apache::thrift::transport::TTransportException;

// After the drain timeout all sockets fail, so only a handler that computes can take longer.
constexpr std::chrono::milliseconds kAbortTimeout{1'000};

// Only in a catch block.
void warn_of_refusal() noexcept {
  try {
    throw;
  } catch (const std::exception& error) {
    try {
      warn_at_a_limited_rate("cannot serve a connection: " + std::string(error.what()));
    } catch (...) {
      warn_at_a_limited_rate("cannot serve a connection: out of memory");
    }
  } catch (...) {
    warn_at_a_limited_rate("cannot serve a connection");
  }
}

// One connection. Made by the accepting thread, run by one of its own, which makes the handler once
// the peer has proved who it is.
class Session {
 public:
  Session(std::shared_ptr<Socket> socket,
          FrameBounds bounds,
          std::shared_ptr<ByteBudget> budget,
          std::shared_ptr<apache::thrift::TProcessorFactory> handlers,
          const CallFaults& faults)
      : socket_(std::move(socket)),
        bounds_(std::move(bounds)),
        budget_(std::move(budget)),
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
    } catch (const NoRoomForMessage& error) {
      log_refusal(error);
    } catch (const TException& error) {
      if (breaks_protocol(error)) {
        log_refusal(error);
      } else {
        log_end(error);
      }
    } catch (...) {  // Out of memory even for a TException, or the factory failed.
      warn_of_refusal();
    }
    const std::lock_guard lock(closing_);
    static_cast<void>(bounds_.idleness->end());
    socket_->close();
  }

  [[nodiscard]] const Idleness& idleness() const noexcept { return *bounds_.idleness; }
  // Ends the connection if it still waits since `since`; whether it did. From any thread.
  bool give_up(Idleness::Clock::time_point since) {
    const std::lock_guard lock(closing_);
    if (!socket_->isOpen() || !bounds_.idleness->give_up(since)) {
      return false;
    }
    socket_->end();
    return true;
  }

 private:
  void serve() {
    const auto protocol =
        std::make_shared<Protocol>(std::make_shared<FramedTransport>(socket_, bounds_, budget_));
    Guard processor(handlers_->getProcessor({protocol, protocol, socket_}), faults_);
    while (processor.process(protocol, protocol, nullptr)) {
    }
  }

  // Whether the connection ends for what the peer sent, and was not just cut, out of time or not
  // wanted any more. The guard has told of an answer that is too large.
  [[nodiscard]] bool breaks_protocol(const TException& error) const noexcept {
    const auto* const transport = dynamic_cast<const TTransportException*>(&error);
    return transport == nullptr || (transport->getType() != TTransportException::TIMED_OUT &&
                                    transport->getType() != TTransportException::INTERRUPTED &&
                                    dynamic_cast<const MessageTooLarge*>(&error) == nullptr &&
                                    !socket_->closed_by_peer() && socket_->failure() == 0);
  }

  void log_refusal(const std::exception& error) const noexcept {
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
  const std::shared_ptr<ByteBudget> budget_;
  const std::shared_ptr<apache::thrift::TProcessorFactory> handlers_;
  const CallFaults faults_;
  std::mutex closing_;
};

// A session and its thread.
struct Worker {
  std::shared_ptr<Session> session;
  std::thread thread;
};

}  // namespace

// Shared with the serving thread, which may outlive the Server.
struct Server::State {
  State(const ServerOptions& server_options,
        std::shared_ptr<apache::thrift::TProcessorFactory> processors)
      : options(server_options),
        handlers(std::move(processors)),
        budget(std::make_shared<ByteBudget>(options.message_bytes_max)),
        listener(options.address) {
    GRADMILL_CHECK(options.clients_max >= 1);
    warn_of_few_descriptors();
  }

  void warn_of_few_descriptors() const;
  void serve();
  [[nodiscard]] std::shared_ptr<Socket> socket_of(Accepted accepted) const;
  void admit(Accepted accepted);
  bool make_room();
  void start_session(std::shared_ptr<Socket> socket);
  void end_session(std::list<Worker>::iterator worker);
  void join_finished();
  bool wait_for_end(std::chrono::milliseconds timeout);

  const ServerOptions options;
  const std::shared_ptr<apache::thrift::TProcessorFactory> handlers;
  const std::shared_ptr<Interrupt> drain = std::make_shared<Interrupt>();
  const std::shared_ptr<Interrupt> abort = std::make_shared<Interrupt>();
  const std::shared_ptr<ByteBudget> budget;
  Listener listener;

  std::mutex mutex;
  std::condition_variable changed;
  bool ended = true;   // No thread of this server runs.
  std::thread thread;  // Runs serve().
  std::list<Worker> running;
  std::list<Worker> finished;  // About to end, to be joined.
};

void Server::State::warn_of_few_descriptors() const {
  const std::uint64_t most = descriptors_for_connections();
  if (most < static_cast<std::uint64_t>(options.clients_max)) {
    log_event({.level = LogLevel::kWarning,
               .event = "few_descriptors",
               .message = "fewer connections at a time than --max-clients " +
                          std::to_string(options.clients_max) + ", at most " +
                          std::to_string(most) +
                          ": raise the limit of file descriptors (ulimit -n)"});
  }
}

void Server::State::serve() {
  while (!drain->triggered()) {
    try {
      if (auto accepted = listener.accept(*drain, [this] { make_room(); })) {
        admit(*std::move(accepted));
      }
    } catch (...) {
      warn_of_refusal();
      std::this_thread::sleep_for(kAcceptRetryPause);
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

std::shared_ptr<Socket> Server::State::socket_of(Accepted accepted) const {
  std::unique_ptr<Stream> stream = options.tls == nullptr
                                       ? std::make_unique<PlainStream>(std::move(accepted.fd))
                                       : options.tls->accept(std::move(accepted.fd));
  return std::make_shared<Socket>(std::move(stream), std::move(accepted.origin));
}

// Serves a connection, instead of another one if there are too many, or refuses it.
void Server::State::admit(Accepted accepted) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex);
    count = running.size();
  }
  const bool is_full = count >= static_cast<std::size_t>(options.clients_max);
  const bool is_last = is_among_the_last(accepted.fd);
  if ((is_full || is_last) && !make_room()) {
    // An end at once tells the peer more than a silence would.
    warn_at_a_limited_rate(is_full
                               ? "refused a connection: " + std::to_string(count) +
                                     " are in use, which is --max-clients"
                               : "refused a connection: " + std::to_string(count) +
                                     " are in use, and there are hardly any file descriptors left");
    return;
  }
  if (is_last) {
    accepted.fd.sink();  // Else the next one would get the number that is free now, at no cost.
  }
  const std::shared_ptr<Socket> socket = socket_of(std::move(accepted));
  for (;;) {
    try {
      start_session(socket);
      return;
    } catch (const std::exception&) {  // No thread or no memory left: others hold some.
      warn_of_refusal();
      if (!make_room()) {
        throw;
      }
    }
  }
}

// Ends the connection whose peer has let it wait for longest; false if there is none, or if its
// thread does not end soon.
bool Server::State::make_room() {
  std::unique_lock lock(mutex);
  const std::size_t count = running.size();
  for (;;) {
    std::shared_ptr<Session> longest;
    std::optional<Idleness::Clock::time_point> longest_since;
    for (const Worker& worker : running) {
      const auto since = worker.session->idleness().since();
      if (since && (!longest_since || *since < *longest_since)) {
        longest = worker.session;
        longest_since = since;
      }
    }
    if (longest == nullptr) {
      return false;
    }
    if (longest->give_up(*longest_since)) {
      return changed.wait_for(lock, kRoomTimeout, [&] { return running.size() < count; });
    }
  }
}

void Server::State::start_session(std::shared_ptr<Socket> socket) {
  auto session = std::make_shared<Session>(
      std::move(socket),
      FrameBounds{options.idle_timeout, options.frame_deadline, drain, abort},
      budget,
      handlers,
      options.faults);
  const std::lock_guard lock(mutex);
  running.push_front({session, std::thread()});
  const auto worker = running.begin();
  try {
    worker->thread = std::thread([this, worker, held = std::move(session)]() mutable {
      prefer_short_slices();
      held->run();
      held = nullptr;
      end_session(worker);
    });
  } catch (...) {
    running.erase(worker);
    throw;
  }
}

void Server::State::end_session(std::list<Worker>::iterator worker) {
  join_finished();
  std::shared_ptr<Session> session;  // Ends with the lock open: a handler may take its time.
  const std::lock_guard lock(mutex);
  session = std::move(worker->session);
  finished.splice(finished.end(), running, worker);
  changed.notify_all();
}

void Server::State::join_finished() {
  std::list<Worker> ending;
  {
    const std::lock_guard lock(mutex);
    ending.swap(finished);
  }
  // They are past their last use of the mutex, so none of these waits is for long.
  for (Worker& each : ending) {
    each.thread.join();
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
    state_->budget->close();
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
