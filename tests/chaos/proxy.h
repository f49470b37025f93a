// A TCP proxy between processes, whose links can be made bad.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chaos/lane.h"
#include "rpc/descriptor.h"
#include "simulation/dice.h"

namespace gradmill::chaos {

/// What a link does at present. All connections of the link share a limited rate.
struct LinkConditions {
  LaneConditions requests{};  ///< From the one that connected.
  LaneConditions answers{};
  /// Each connection is reset (RST to both ends) in the middle of what it next carries.
  bool resets = false;
};

/// Passes connections to links' ports on to servers on loopback, in one thread of its own. A
/// connection to a server that refuses is reset. Thread-safe, but for add_link.
class Proxy {
 public:
  /// `seed` draws lost frames and jitter.
  explicit Proxy(std::uint64_t seed);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  /// A link on a free port of loopback to `target`, which may be set later (0: none yet, and
  /// connections are reset). Its number, from 0. Before start().
  std::size_t add_link();
  void start();
  void set_target(std::size_t link, std::uint16_t port);
  [[nodiscard]] std::uint16_t port(std::size_t link) const { return links_.at(link)->port; }
  /// For all connections, also those that are open.
  void set(std::size_t link, const LinkConditions& conditions);
  /// Open connections of all links.
  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  struct Link {
    rpc::Descriptor listener;
    std::uint16_t port = 0;
    std::atomic<std::uint16_t> target{0};
    LinkConditions conditions;  // guarded by mutex_
    std::array<Lane::LinkTime, 2> free{};
  };
  /// Ends and lanes: 0 is the one that connected and what it sends, 1 the server.
  struct Connection {
    Link* link = nullptr;
    std::array<rpc::Descriptor, 2> ends;
    std::array<Lane, 2> lanes;
    bool reset = false;
  };

  void run();
  void accept(Link& link);
  void serve(Connection& connection, const std::array<short, 2>& ready);
  void read(Connection& connection, std::size_t end, const LinkConditions& conditions);
  static void write(Connection& connection, std::size_t lane, Clock::time_point now);
  static void finish(Connection& connection);
  [[nodiscard]] LinkConditions conditions_of(const Link& link) const;
  void wake() const;

  simulation::Dice dice_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Link>> links_;
  std::list<Connection> open_;
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  rpc::Descriptor wake_;
  std::thread thread_;
};

}  // namespace gradmill::chaos
