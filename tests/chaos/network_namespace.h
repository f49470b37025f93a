// A network of one's own for a process, behind a link that can go down.
#pragma once

#include <string>
#include <vector>

namespace gradmill::chaos {

/// A network namespace `gradmill-chaos-PID` and a pair of interfaces to it from ours, gone with the
/// object. One at a time. Needs root and iproute2; throws std::runtime_error without.
class NetworkNamespace {
 public:
  NetworkNamespace();
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;
  ~NetworkNamespace();

  /// Whether there can be one here. Removes what processes that died have left behind.
  [[nodiscard]] static bool possible();

  /// The IPv4 address inside, reachable from outside.
  [[nodiscard]] const std::string& address() const { return address_; }
  /// `command` so that it runs inside.
  [[nodiscard]] std::vector<std::string> inside(const std::vector<std::string>& command) const;
  void set_link(bool up) const;

 private:
  std::string name_;
  std::string interface_;  // the outer one
  std::string address_;
};

}  // namespace gradmill::chaos
