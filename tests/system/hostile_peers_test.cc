// Peers that send anything but calls, to live servers with little memory. Real jobs go on.
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "system/cluster.h"
#include "system/raw_peer.h"
#include "system/resource_base.h"

namespace gradmill::system_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kI32 = 8;
constexpr int kString = 11;
constexpr int kStruct = 12;
constexpr int kMap = 13;
constexpr int kList = 15;

std::string with_little_memory() { return kSanitized ? "" : "ulimit -v 1000000"; }

std::string random_bytes(std::mt19937& random) {
  std::string bytes(4096, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(random());
  }
  return bytes;
}

std::string hello_with(const std::string& contents) {
  return counted(call("hello", field(kStruct, 1) + contents + std::string(2, '\0')));
}

/// One of each kind that is refused at once.
std::vector<std::string> attacks() {
  const std::string hello = hello_frame();
  std::vector<std::string> all = {
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11) + std::string(512, 'x'),
      hello.substr(4),                                               // no frame
      counted(std::string("\x82\x21\x01\x05hello\0", 10)),           // compact
      counted("[1,\"hello\",1,0,{}]"),                               // JSON
      counted(counted("hello") + std::string("\x01\0\0\0\0\0", 6)),  // binary without version
      counted(call("nonsense", std::string(1, '\0'))),
      hello_with(field(kI32, 99) + big_endian(7, 4)),    // unknown field
      hello_with(field(kString, 1) + counted("three")),  // wrong type
      hello_with(""),                                    // nothing that is needed
      list_jobs_frame(),                                 // before hello
  };
  for (const std::uint64_t length : {0x7fffffffU, 0xffffffffU, 0U, (8U << 20U) + 1}) {
    all.push_back(big_endian(length, 4) + hello.substr(4));
  }
  all.push_back(hello_with(field(kString, 3) + big_endian(0x7fffffff, 4)));
  for (const int element : {kStruct, 4, 99}) {
    const std::string of = big_endian(static_cast<std::uint64_t>(element), 1);
    all.push_back(hello_with(field(kList, 99) + of + big_endian(0x7fffffff, 4)));
    all.push_back(hello_with(field(kMap, 99) + of + of + big_endian(0x7fffffff, 4)));
  }
  std::string deep;
  for (int i = 0; i < 200; ++i) {
    deep += field(kStruct, 99);
  }
  all.push_back(hello_with(deep + std::string(200, '\0')));
  return all;
}

void attack(std::uint16_t port, const std::string& bytes) {
  const RawPeer peer(port);
  ASSERT_TRUE(peer.is_open());
  peer.send(bytes);
  peer.finish();
}

void attack_with_everything(std::uint16_t port) {
  for (const std::string& bytes : attacks()) {
    attack(port, bytes);
  }
  const std::string hello = hello_frame();
  for (std::size_t cut = 0; cut < hello.size(); ++cut) {
    attack(port, hello.substr(0, cut));
  }
}

Cluster::Options with_limits() {
  Cluster::Options options;
  options.node_limits = with_little_memory();
  options.coordinator_limits = with_little_memory();
  return options;
}

TEST(HostilePeers, ChangeNothing) {
  Cluster cluster(with_limits());
  const std::string before = hash_of(cluster.train(long_job()));
  ASSERT_EQ(before.size(), 64U) << before;
  const Base coordinator(cluster.coordinator().pid());
  const Base node(cluster.node(0).pid());

  Process client(command("client", cluster.train_words(long_job())));
  ASSERT_TRUE(client.says("round 1/", seconds(60))) << client.err();
  std::mt19937 random(1);  // The same bytes each time.
  for (int i = 0; i < 1000; ++i) {
    const std::string bytes = random_bytes(random);
    attack(i % 4 < 2 ? cluster.port() : cluster.node_port(0), i % 2 == 0 ? bytes : counted(bytes));
  }
  attack_with_everything(cluster.port());
  attack_with_everything(cluster.node_port(0));
  EXPECT_EQ(finish(client), before);
  coordinator.expect();
  node.expect();
  EXPECT_EQ(hash_of(cluster.train(long_job())), before);
}

TEST(HostilePeers, TenThousandConnectionsComeAndGo) {
  Cluster cluster(with_limits());
  const std::string before = hash_of(cluster.train(short_job()));
  const Base coordinator(cluster.coordinator().pid());
  const Base node(cluster.node(0).pid());
  for (int i = 0; i < 10'000; ++i) {
    const RawPeer to_coordinator(cluster.port());
    const RawPeer to_node(cluster.node_port(0));
    ASSERT_TRUE(to_coordinator.is_open() && to_node.is_open()) << i;
    if (i % 10 == 0) {
      // The others are idle, and give way.
      to_coordinator.send(hello_frame());
      EXPECT_GT(to_coordinator.receive_frame().size(), 4U) << i;
      to_node.send(hello_frame());
      EXPECT_GT(to_node.receive_frame().size(), 4U) << i;
    }
  }
  coordinator.expect();
  node.expect();
  EXPECT_EQ(hash_of(cluster.train(short_job())), before);
}

/// Seconds of a call that all but one in a hundred keep to.
double p99_of_calls(const RawPeer& client) {
  std::vector<double> times;
  for (int i = 0; i < 500; ++i) {
    const auto start = std::chrono::steady_clock::now();
    client.send(list_jobs_frame());
    if (client.receive_frame().size() <= 4) {
      return 1e9;
    }
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() * 99 / 100];
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Keeps 200 connections that send one byte a second each.
class SlowPeers {
 public:
  explicit SlowPeers(std::uint16_t port) : thread_([this, port] { send(port); }) {
    while (rounds_ == 0) {
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  ~SlowPeers() {
    stop_ = true;
    thread_.join();
  }
  [[nodiscard]] int cut() const { return cut_; }

 private:
  void send(std::uint16_t port) {
    const std::string bytes = counted(std::string(60'000, 'x'));
    std::vector<std::unique_ptr<RawPeer>> peers(200);
    for (std::size_t at = 0; !stop_; ++at) {
      for (auto& peer : peers) {
        if (peer != nullptr && !peer->send(bytes.substr(4 + at, 1))) {
          peer.reset();
          ++cut_;
        }
        if (peer == nullptr) {
          peer = std::make_unique<RawPeer>(port);
          peer->send(bytes.substr(0, 4));
        }
      }
      ++rounds_;
      for (int i = 0; i < 50 && !stop_; ++i) {
        std::this_thread::sleep_for(milliseconds(20));  // The slowness is what is tested.
      }
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> rounds_ = 0;
  std::atomic<int> cut_ = 0;
  std::thread thread_;
};

TEST(HostilePeers, TwoHundredSlowOnesAreCutAndDelayNobody) {
  Cluster cluster;
  const std::string before = hash_of(cluster.train(short_job()));
  const RawPeer client(cluster.port());
  client.send(hello_frame());
  static_cast<void>(client.receive_frame());
  // In turns, since other processes of a busy machine disturb both alike; a median, since not
  // always.
  std::vector<double> undisturbed;
  std::vector<double> disturbed;
  for (int attempt = 0; attempt < 9; ++attempt) {
    undisturbed.push_back(p99_of_calls(client));
    const SlowPeers slow(cluster.port());
    disturbed.push_back(p99_of_calls(client));
  }
  // Of a call that takes a fraction of a millisecond, a turn of another process is many times that.
  constexpr double kTurn = 0.002;
  EXPECT_LT(median(disturbed), 2 * median(undisturbed) + kTurn) << "not " << median(undisturbed);
  const SlowPeers slow(cluster.port());
  EXPECT_EQ(hash_of(cluster.train(short_job())), before);
  EXPECT_TRUE(eventually([&] { return slow.cut() >= 200; })) << slow.cut();
  EXPECT_EQ(hash_of(cluster.train(short_job())), before);
}

}  // namespace
}  // namespace gradmill::system_test
