// The cluster that chaos strikes: processes, proxies between them, and a network namespace.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "chaos/network_namespace.h"
#include "chaos/plan.h"
#include "chaos/proxy.h"
#include "system/cluster.h"
#include "system/process.h"

namespace gradmill::chaos {

/// A node at each node's place, and a coordinator. Processes are started and signalled by one
/// thread, which must outlive them; the rest is thread-safe. Throws if a process does not start.
class Stage {
 public:
  using CoordinatorStarted = std::function<void(const std::shared_ptr<system_test::Process>&)>;

  struct Options {
    std::uint64_t seed = 1;
    /// Called with each process of the coordinator once it runs: then the one before is gone.
    CoordinatorStarted coordinator_started;
  };

  /// A process that runs, or stands still.
  struct Running {
    Place place = Place::kCoordinator;
    int pid = -1;
  };

  explicit Stage(Options options);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  /// Kills all processes, also those that others still hold.
  ~Stage();

  /// Whether the spared node is behind a link that can go down.
  [[nodiscard]] bool has_namespace() const { return namespace_.has_value(); }
  /// Whether processes obey `client fault`.
  [[nodiscard]] bool has_fault_injection() const { return !fault_option_.empty(); }

  /// Of a process that runs.
  void signal(Place place, int number);
  /// Waits until the process is gone; throws if it stays.
  void await_end(Place place);
  void start(Place place);
  void set_link(Place place, const LinkConditions& conditions);
  void set_interface(bool up) const { namespace_->set_link(up); }
  /// Runs `client fault VERB` for a node or the coordinator with `words`; whether it was obeyed.
  [[nodiscard]] bool order_fault(const std::string& verb,
                                 Place place,
                                 const std::vector<std::string>& words) const;

  /// The node's address as the coordinator knows it.
  [[nodiscard]] std::string address(Place node) const;
  /// Through the proxy, as jobs go, and directly.
  [[nodiscard]] std::uint16_t client_port() const;
  [[nodiscard]] std::uint16_t coordinator_port() const { return coordinator_port_; }
  /// Runs a verb of the client on the direct way, with one try: its words without --coordinator.
  [[nodiscard]] system_test::Ended ask(std::vector<std::string> words) const;
  [[nodiscard]] std::vector<Running> running() const;

 private:
  [[nodiscard]] std::vector<std::string> command_of(Place place) const;
  [[nodiscard]] std::vector<std::string> command_of_spared(std::vector<std::string> words) const;
  void write_node_list() const;

  Options options_;
  std::vector<std::string> fault_option_;     // of all servers
  std::vector<std::string> insecure_option_;  // of servers on other addresses than loopback
  system_test::Folder folder_;
  Proxy proxy_;
  std::optional<NetworkNamespace> namespace_;
  std::uint16_t coordinator_port_ = 0;
  std::array<std::uint16_t, kNodes> node_ports_{};
  mutable std::mutex mutex_;
  std::array<std::shared_ptr<system_test::Process>, kPlaces> processes_;  // guarded by mutex_
};

}  // namespace gradmill::chaos
