#include "system/cluster.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace gradmill::system_test {

namespace {

constexpr std::chrono::seconds kStart{30};
constexpr std::chrono::seconds kTrain{120};

std::uint16_t required_port(Process& server) {
  const std::uint16_t port = announced_port(server);
  if (port == 0) {
    throw std::runtime_error("a server did not start: " + server.err());
  }
  return port;
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "gradmill-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("mkdtemp");
  }
  path_ = name;
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

std::string Folder::path(const std::string& name) const { return (path_ / name).string(); }

void Folder::write(const std::string& name, const std::string& content) const {
  std::ofstream(path(name), std::ios::binary) << content;
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
    nodes_.push_back(std::make_unique<Process>(command("compute_node", words)));
  }
  for (const auto& node : nodes_) {
    node_ports_.push_back(required_port(*node));
    list += "127.0.0.1," + std::to_string(options_.listed_port(node_ports_.back())) + "\n";
  }
  for (const std::uint16_t port : options_.other_ports) {
    list += "127.0.0.1," + std::to_string(port) + "\n";
  }
  folder_.write("compute_nodes.txt", list);
  std::vector<std::string> words = {"0", options_.policy};
  words.insert(
      words.end(), options_.coordinator_options.begin(), options_.coordinator_options.end());
  coordinator_ = std::make_unique<Process>(command("coordinator", words), folder_.path());
  port_ = required_port(*coordinator_);
}

void Cluster::restart_node(std::size_t n) {
  std::vector<std::string> words = {std::to_string(node_ports_.at(n)), options_.load.at(n)};
  words.insert(words.end(), options_.node_options.begin(), options_.node_options.end());
  nodes_.at(n) = std::make_unique<Process>(command("compute_node", words));
  static_cast<void>(required_port(*nodes_.at(n)));
}

std::vector<std::string> Cluster::train_words(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"127.0.0.1", std::to_string(port_)});
  arguments.insert(arguments.end(), {"--format", "json"});
  return arguments;
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

std::string hash_of(const Ended& result) {
  if (result.code != 0) {
    return "exit code " + std::to_string(result.code) + ": " + result.err;
  }
  return nlohmann::json::parse(result.out).at("parameters_sha256");
}

}  // namespace gradmill::system_test
