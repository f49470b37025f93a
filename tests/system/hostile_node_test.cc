// Nodes whose answers are no answers: their shards go elsewhere, and the bits stay the same.
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "system/cluster.h"
#include "system/raw_peer.h"

namespace gradmill::system_test {
namespace {

using std::chrono::seconds;

/// What is sent in place of a node's answer; may depend on it.
using Distortion = std::function<std::string(const std::string& answer)>;

/// Stands before a node and passes frames on; answers to calls about tasks are distorted.
class Impostor {
 public:
  explicit Impostor(Distortion distortion) : distortion_(std::move(distortion)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, generic, size), 0);
    EXPECT_EQ(::listen(fd_, 64), 0);
    ::getsockname(fd_, generic, &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~Impostor() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& thread : threads_) {
      thread.join();
    }
    ::close(fd_);
  }
  /// The port to call in place of the node's.
  std::uint16_t before(std::uint16_t node_port) {
    node_port_ = node_port;
    return port_;
  }
  [[nodiscard]] int distorted() const { return distorted_; }

 private:
  static bool readable(int fd) {
    pollfd wait{fd, POLLIN, 0};
    return ::poll(&wait, 1, 50) > 0;
  }
  void accept() {
    while (!stop_) {
      if (readable(fd_)) {
        const int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        threads_.emplace_back([this, client] { pass_on(client); });
      }
    }
  }
  void pass_on(int fd) {
    const RawPeer client = RawPeer::of(fd);
    const RawPeer node(node_port_);
    while (!stop_ && node.is_open()) {
      if (!readable(fd)) {
        continue;
      }
      const std::string question = client.receive_frame();
      if (question.size() <= 4 || !node.send(question)) {
        return;
      }
      std::string answer = node.receive_frame();
      if (question.find("runTask") != std::string::npos ||
          question.find("pollTask") != std::string::npos) {
        ++distorted_;
        answer = distortion_(answer);
      }
      if (!client.send(answer)) {
        return;
      }
    }
  }

  Distortion distortion_;
  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> node_port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> distorted_ = 0;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

std::string with_sequence(std::string answer, std::uint32_t sequence) {
  const std::size_t name_bytes = static_cast<unsigned char>(answer.at(4 + 7));
  return answer.replace(4 + 4 + 4 + name_bytes, 4, big_endian(sequence, 4));
}

TEST(HostileNode, LosesItsShardsToOthersAndCostsNoMemory) {
  const std::string right = hash_of(Cluster().train(short_job()));
  ASSERT_EQ(right.size(), 64U) << right;
  std::string last;
  const std::vector<std::pair<std::string, Distortion>> kinds = {
      {"one byte too much",
       [](const std::string&) {
         return big_endian((8U << 20U) + 1, 4) + std::string(1 << 20, 'x');
       }},
      {"2 GB",
       [](const std::string&) { return big_endian(0x7fffffff, 4) + std::string(16 << 20, 'x'); }},
      {"a frame of the limit",
       [](const std::string&) { return counted(std::string(8 << 20, 'x')); }},
      {"another call's number", [](const std::string& answer) { return with_sequence(answer, 7); }},
      {"no Thrift", [](const std::string&) { return std::string("HTTP/1.1 200 OK\r\n\r\n"); }},
      {"two answers", [](const std::string& answer) { return answer + answer; }},
      {"the answer before",
       [&last](const std::string& answer) {
         const std::string before = last.empty() ? answer : last;
         last = answer;
         return before;
       }},
  };
  for (const auto& [what, distortion] : kinds) {
    SCOPED_TRACE(what);
    Impostor impostor(distortion);
    Cluster::Options options;
    options.policy = "round-robin";
    bool is_first = true;
    options.listed_port = [&](std::uint16_t port) {
      return std::exchange(is_first, false) ? impostor.before(port) : port;
    };
    Cluster cluster(options);
    const std::int64_t resident = usage_of(cluster.coordinator().pid()).resident_bytes;
    EXPECT_EQ(hash_of(cluster.train(short_job())), right);
    EXPECT_GT(impostor.distorted(), 0);
#ifndef __SANITIZE_ADDRESS__
    EXPECT_LE(usage_of(cluster.coordinator().pid()).resident_bytes - resident, 64 << 20);
#else
    static_cast<void>(resident);
#endif
  }
}

}  // namespace
}  // namespace gradmill::system_test
