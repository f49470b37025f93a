#include "system/cluster.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace gradmill::system_test {

namespace {

constexpr std::chrono::seconds kStart{30};
constexpr std::chrono::seconds kTrain{120};
constexpr std::chrono::seconds kEnd{10};
constexpr std::chrono::milliseconds kPoll{20};

std::uint16_t required_port(Process& server) {
  const std::uint16_t port = announced_port(server);
  if (port == 0) {
    throw std::runtime_error("a server did not start: " + server.err());
  }
  return port;
}

// A command that runs in a shell after `limits`, if there are any.
std::vector<std::string> limited(const std::string& limits, const std::vector<std::string>& words) {
  if (limits.empty()) {
    return words;
  }
  std::vector<std::string> all = {"/bin/bash", "-c", limits + " && exec \"$0\" \"$@\""};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "gradmill-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("mkdtemp");
  }
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::path(const std::string& name) const { return (path_ / name).string(); }

void Folder::write(const std::string& name, const std::string& content) const {
  std::ofstream(path(name), std::ios::binary) << content;
}

std::string bytes_in(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::uint16_t announced_port(Process& server) {
  static const std::string kWords = "listening on 127.0.0.1:";
  if (!server.says(kWords, kStart)) {
    return 0;
  }
  const std::string err = server.err();
  return static_cast<std::uint16_t>(
      std::strtoul(err.c_str() + err.find(kWords) + kWords.size(), nullptr, 10));
}

std::uint16_t unused_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  return bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

Cluster::Cluster(const Options& options) : options_(options) {
  std::string list = "address,port\n";
  for (const std::string& load : options_.load) {
    std::vector<std::string> words = {"0", load};
    words.insert(words.end(), options_.node_options.begin(), options_.node_options.end());
    nodes_.push_back(
        std::make_unique<Process>(limited(options_.node_limits, command("compute_node", words))));
  }
  for (const auto& node : nodes_) {
    node_ports_.push_back(required_port(*node));
    list += "127.0.0.1," + std::to_string(options_.listed_port(node_ports_.back())) + "\n";
  }
  for (const std::uint16_t port : options_.other_ports) {
    list += "127.0.0.1," + std::to_string(port) + "\n";
  }
  if (!node_ports_.empty() || !options_.other_ports.empty()) {
    folder_.write("compute_nodes.txt", list);
  }
  state_folder_ = folder_.path("state");
  restart_coordinator();
}

std::string Cluster::state_folder() const { return state_folder_; }

void Cluster::kill_coordinator() {
  coordinator_->signal(SIGKILL);
  if (coordinator_->wait(kEnd) < 0) {
    throw std::runtime_error("the coordinator does not die");
  }
}

void Cluster::relaunch_coordinator(const std::vector<std::string>& environment) {
  if (coordinator_) {
    kill_coordinator();
  }
  std::vector<std::string> words = {std::to_string(port_), options_.policy};
  words.insert(
      words.end(), options_.coordinator_options.begin(), options_.coordinator_options.end());
  words.insert(words.end(), {"--state-dir", state_folder_});
  std::vector<std::string> all = {"/usr/bin/env"};
  all.insert(all.end(), environment.begin(), environment.end());
  const std::vector<std::string> program = command(options_.coordinator, words);
  all.insert(all.end(), program.begin(), program.end());
  coordinator_ =
      std::make_unique<Process>(limited(options_.coordinator_limits, all), folder_.path());
}

void Cluster::restart_coordinator(const std::vector<std::string>& environment) {
  relaunch_coordinator(environment);
  port_ = required_port(*coordinator_);
}

std::string Cluster::node_address(std::size_t n) const {
  return "127.0.0.1:" + std::to_string(node_ports_.at(n));
}

std::size_t Cluster::start_joining_node() {
  options_.load.emplace_back("0");
  std::vector<std::string> words = {"0", "0", "--join", "127.0.0.1:" + std::to_string(port_)};
  words.insert(words.end(), options_.node_options.begin(), options_.node_options.end());
  nodes_.push_back(std::make_unique<Process>(command("compute_node", words)));
  node_ports_.push_back(required_port(*nodes_.back()));
  return nodes_.size() - 1;
}

Ended Cluster::client(std::vector<std::string> words) const {
  words.insert(words.end(), {"--coordinator", "127.0.0.1:" + std::to_string(port_)});
  words.insert(words.end(), options_.client_options.begin(), options_.client_options.end());
  return run("client", words);
}

nlohmann::json Cluster::ask(std::vector<std::string> words) const {
  words.insert(words.end(), {"--format", "json"});
  const Ended answer = client(words);
  if (answer.code != 0) {
    throw std::runtime_error("the client failed: " + answer.err);
  }
  return nlohmann::json::parse(answer.out);
}

nlohmann::json Cluster::member(const std::string& verb, std::size_t n) const {
  for (const nlohmann::json& node : ask({"node", verb})) {
    if (node.at("node") == node_address(n)) {
      return node;
    }
  }
  return {};
}

nlohmann::json Cluster::standing(std::size_t n) const { return member("list", n); }

nlohmann::json Cluster::stats(std::size_t n) const { return member("stats", n); }

void Cluster::restart_node(std::size_t n) {
  std::vector<std::string> words = {std::to_string(node_ports_.at(n)), options_.load.at(n)};
  words.insert(words.end(), options_.node_options.begin(), options_.node_options.end());
  nodes_.at(n) = std::make_unique<Process>(command("compute_node", words));
  static_cast<void>(required_port(*nodes_.at(n)));
}

void Cluster::submit_endless_job(const std::string& id) const {
  const Ended submitted = client({"job",
                                  "submit",
                                  "train",
                                  "--data",
                                  GRADMILL_LETTERS,
                                  "--rounds=1000000",
                                  "--epochs=20",
                                  "--hidden=24",
                                  "--eta=0.0001",
                                  "--min-loss-change=0",
                                  "--id=" + id,
                                  "--no-wait"});
  if (submitted.code != 0) {
    throw std::runtime_error("no job was submitted: " + submitted.err);
  }
}

std::vector<std::string> Cluster::train_words(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"127.0.0.1", std::to_string(port_)});
  arguments.insert(arguments.end(), {"--format", "json"});
  return with(std::move(arguments), options_.client_options);
}

Ended Cluster::train(std::vector<std::string> arguments) const {
  return run("client", train_words(std::move(arguments)), kTrain);
}

std::vector<std::string> short_job() { return {GRADMILL_LETTERS, "2", "10", "24", "0.0001"}; }

std::vector<std::string> long_job() {
#ifdef __SANITIZE_ADDRESS__
  return {GRADMILL_LETTERS, "4", "30", "24", "0.0001", "--min-loss-change", "0"};
#else
  return {GRADMILL_LETTERS, "4", "300", "24", "0.0001", "--min-loss-change", "0"};
#endif
}

std::vector<std::string> many_rounds() {
#ifdef __SANITIZE_ADDRESS__
  return {GRADMILL_LETTERS, "15", "5", "24", "0.0001", "--min-loss-change", "0"};
#else
  return {GRADMILL_LETTERS, "60", "20", "24", "0.0001", "--min-loss-change", "0"};
#endif
}

std::vector<std::string> with(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

bool eventually(const std::function<bool()>& is_so, std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() >= end) {
      return false;
    }
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::string finish(Process& client) {
  const int code = client.wait(kTrain);
  return hash_of({code, client.out(), client.err()});
}

int last_round_shown(Process& client) {
  const std::string err = client.err();
  const std::size_t line = err.rfind("round ");
  return line == std::string::npos ? 0
                                   : std::atoi(err.c_str() + line + std::string("round ").size());
}

std::string hash_of(const Ended& result) {
  if (result.code != 0) {
    return "exit code " + std::to_string(result.code) + ": " + result.err;
  }
  return nlohmann::json::parse(result.out).at("parameters_sha256");
}

}  // namespace gradmill::system_test
