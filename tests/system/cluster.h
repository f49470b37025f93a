// A coordinator and its nodes as real processes on free ports.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "system/process.h"

namespace gradmill::system_test {

/// A folder that goes with the test.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  [[nodiscard]] std::string path(const std::string& name = "") const;
  void write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

/// The port that a server announced, 0 if it did not.
[[nodiscard]] std::uint16_t announced_port(Process& server);
/// A port that nobody listens on.
[[nodiscard]] std::uint16_t unused_port();

/// Nodes with these load probabilities and one coordinator. Throws if one of them does not start.
class Cluster {
 public:
  struct Options {
    std::string policy = "load-balancing";
    std::vector<std::string> load = {"0", "0"};
    std::vector<std::string> node_options = {"--load-delay", "5ms"};
    std::vector<std::string> coordinator_options;
    std::vector<std::uint16_t> other_ports;  ///< More entries of the node list.
    /// The port that the node list has for a node that listens on the one given.
    std::function<std::uint16_t(std::uint16_t)> listed_port = [](std::uint16_t port) {
      return port;
    };
  };
  Cluster() : Cluster(Options()) {}
  explicit Cluster(const Options& options);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] Process& coordinator() { return *coordinator_; }
  [[nodiscard]] Process& node(std::size_t n) { return *nodes_.at(n); }
  [[nodiscard]] std::uint16_t node_port(std::size_t n) const { return node_ports_.at(n); }
  /// Starts node n again on its port.
  void restart_node(std::size_t n);
  /// Words of a client that trains here.
  [[nodiscard]] std::vector<std::string> train_words(std::vector<std::string> arguments) const;
  /// Trains to the end with --format json.
  [[nodiscard]] Ended train(std::vector<std::string> arguments) const;

 private:
  Options options_;
  Folder folder_;
  std::vector<std::unique_ptr<Process>> nodes_;
  std::vector<std::uint16_t> node_ports_;
  std::unique_ptr<Process> coordinator_;
  std::uint16_t port_ = 0;
};

/// A short job on the letters: rounds, epochs, h, eta.
[[nodiscard]] std::vector<std::string> short_job();
/// A job long enough to disturb: some seconds on two nodes.
[[nodiscard]] std::vector<std::string> long_job();
/// `parameters_sha256` of a result, or what went wrong.
[[nodiscard]] std::string hash_of(const Ended& result);

}  // namespace gradmill::system_test
