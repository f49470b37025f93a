// Thrift's accepting loop with a thread for each connection.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include <thrift/server/TServerFramework.h>

namespace gradmill::rpc {

/// TThreadedServer, except that a thread that cannot be started costs one connection: Thrift's own
/// would leave serve(), and crash in ~Thread. serve() returns when all threads have ended.
class ThreadedServer final : public apache::thrift::server::TServerFramework {
 public:
  using TServerFramework::TServerFramework;

  void serve() override;

 protected:
  void onClientConnected(
      const std::shared_ptr<apache::thrift::server::TConnectedClient>& client) override;
  void onClientDisconnected(apache::thrift::server::TConnectedClient* client) override;

 private:
  struct Worker {
    const apache::thrift::server::TConnectedClient* client;
    std::thread thread;
  };

  void join_finished();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Worker> running_;   // Guarded by mutex_.
  std::list<Worker> finished_;  // Guarded by mutex_; about to end, to be joined.
};

}  // namespace gradmill::rpc
