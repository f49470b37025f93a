#include "rpc/threaded_server.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "rpc/process_setup.h"

namespace gradmill::rpc {

using apache::thrift::server::TConnectedClient;
using apache::thrift::transport::TTransportException;

void ThreadedServer::serve() {
  TServerFramework::serve();
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_.empty(); });
  }
  join_finished();
}

void ThreadedServer::onClientConnected(const std::shared_ptr<TConnectedClient>& client) {
  const std::lock_guard lock(mutex_);
  running_.push_front({client.get(), {}});
  try {
    running_.front().thread = std::thread([held = client]() mutable {
      held->run();
      held.reset();  // Calls onClientDisconnected.
    });
  } catch (const std::system_error& error) {
    running_.pop_front();
    warn_at_a_limited_rate(std::string("cannot serve a connection: ") + error.what());
    // The one type after which the accepting loop goes on.
    throw TTransportException(TTransportException::CLIENT_DISCONNECT, "no thread");
  }
}

void ThreadedServer::onClientDisconnected(TConnectedClient* client) {
  join_finished();
  const std::lock_guard lock(mutex_);
  const auto worker = std::find_if(running_.begin(), running_.end(), [client](const Worker& each) {
    return each.client == client;
  });
  if (worker != running_.end()) {
    finished_.splice(finished_.end(), running_, worker);
  }
  changed_.notify_all();
}

void ThreadedServer::join_finished() {
  std::list<Worker> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  // They are past their last use of the mutex, so none of these waits is for long.
  for (Worker& worker : finished) {
    worker.thread.join();
  }
}

}  // namespace gradmill::rpc
