// A coordinator and its nodes as real processes on free ports.
#pragma once

#include <chrono>
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

/// The content of a file; empty if there is none.
[[nodiscard]] std::string bytes_in(const std::string& path);

/// The port that a server announced, 0 if it did not.
[[nodiscard]] std::uint16_t announced_port(Process& server);
/// A port that nobody listens on.
[[nodiscard]] std::uint16_t unused_port();

/// Nodes with these load probabilities and one coordinator. Throws if one of them does not start.
class Cluster {
 public:
  struct Options {
    std::string coordinator = "coordinator";  ///< The program.
    std::string policy = "load-balancing";
    std::vector<std::string> load = {"0", "0"};
    std::vector<std::string> node_options = {"--load-delay", "5ms"};
    std::vector<std::string> coordinator_options;
    std::vector<std::string> client_options;
    /// Shell commands before the programs start: `ulimit -n 64`, say.
    std::string node_limits;
    std::string coordinator_limits;
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
  /// Starts one more node, which announces itself to the coordinator; its number.
  std::size_t start_joining_node();
  [[nodiscard]] std::string node_address(std::size_t n) const;

  /// Where the coordinator keeps its jobs.
  [[nodiscard]] std::string state_folder() const;
  /// By SIGKILL, and waits until it is gone.
  void kill_coordinator();
  /// Kills the coordinator, if it still runs, and starts it on its port and folder. Lines of
  /// `environment` are NAME=VALUE, for this start alone.
  void restart_coordinator(const std::vector<std::string>& environment = {});
  /// The same, but it need not come up: the process alone.
  void relaunch_coordinator(const std::vector<std::string>& environment = {});
  /// Changes where the coordinator keeps its jobs from its next start on.
  void use_state_folder(const std::string& path) { state_folder_ = path; }

  /// Runs a verb of the client: its words without --coordinator.
  [[nodiscard]] Ended client(std::vector<std::string> words) const;
  /// The JSON that a verb of the client writes; throws unless it exits with 0.
  [[nodiscard]] nlohmann::json ask(std::vector<std::string> words) const;
  /// What `client node list` and `client node stats` say of node n; empty if it is no member.
  [[nodiscard]] nlohmann::json standing(std::size_t n) const;
  [[nodiscard]] nlohmann::json stats(std::size_t n) const;
  /// Submits a job that outlasts any test: there are tasks however late a test looks for them.
  void submit_endless_job(const std::string& id) const;
  /// Words of a client that trains here.
  [[nodiscard]] std::vector<std::string> train_words(std::vector<std::string> arguments) const;
  /// Trains to the end with --format json.
  [[nodiscard]] Ended train(std::vector<std::string> arguments) const;

 private:
  [[nodiscard]] nlohmann::json member(const std::string& verb, std::size_t n) const;

  Options options_;
  Folder folder_;
  std::string state_folder_;
  std::vector<std::unique_ptr<Process>> nodes_;
  std::vector<std::uint16_t> node_ports_;
  std::unique_ptr<Process> coordinator_;
  std::uint16_t port_ = 0;
};

/// Asks again and again until the answer is yes; whether it was so in time.
[[nodiscard]] bool eventually(const std::function<bool()>& is_so,
                              std::chrono::milliseconds timeout = std::chrono::seconds(20));

/// A short job on the letters: rounds, epochs, h, eta.
[[nodiscard]] std::vector<std::string> short_job();
/// A job long enough to disturb: some seconds on two nodes.
[[nodiscard]] std::vector<std::string> long_job();
/// A job of many short rounds: a second or two on two nodes.
[[nodiscard]] std::vector<std::string> many_rounds();
/// `words` and `more`.
[[nodiscard]] std::vector<std::string> with(std::vector<std::string> words,
                                            const std::vector<std::string>& more);
/// Waits for a client that follows a job: its hash, or what went wrong.
[[nodiscard]] std::string finish(Process& client);
/// The highest round that the client has shown.
[[nodiscard]] int last_round_shown(Process& client);
/// `parameters_sha256` of a result, or what went wrong.
[[nodiscard]] std::string hash_of(const Ended& result);

}  // namespace gradmill::system_test
