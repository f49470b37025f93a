// A server that runs out of descriptors, threads or memory. Each case runs in a process of its own,
// whose limits it lowers.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/error.h"
#include "support.h"

namespace gradmill::rpc::test {
namespace {

void lower_limit(__rlimit_resource resource, rlim_t to) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  limit.rlim_cur = to;
  ::setrlimit(resource, &limit);
}

// Whether a call is served within a few tries; while resources are scarce, some fail.
bool serves(const Server& server) {
  return eventually([&server] {
    try {
      return hello(server, "echo") == "echo";
    } catch (const Error&) {
      return false;
    }
  });
}

[[noreturn]] void run_out_of_descriptors() {
  constexpr int kPeers = 16;
  // The undefined behaviour sanitizer needs descriptors to judge formatting.
  spdlog::set_level(spdlog::level::off);
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  hello(server, "echo");
  const bool idle = eventually([&server] { return server.clients() == 0; });
  bool ran_out = false;
  int connected = 0;
  {
    std::vector<Descriptor> peers;
    peers.reserve(kPeers);
    for (int i = 0; i < kPeers; ++i) {
      peers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    }
    // Half of them are not for connections.
    lower_limit(RLIMIT_NOFILE, (static_cast<rlim_t>(descriptor_count()) + 6) * 2);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server.port());
    for (const Descriptor& peer : peers) {  // The kernel completes them without the server.
      connected +=
          ::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
              ? 1
              : 0;
    }
    ran_out = connected == kPeers && eventually([&server] { return server.clients() >= 3; }) &&
              server.clients() < kPeers;
  }
  std::_Exit(idle && ran_out && serves(server) && server.stop() ? 0 : 1);
}

[[noreturn]] void run_out_of_threads() {
  World world;
  Server server(options(), make_handlers(world));
  server.start();
  hello(server, "echo");
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  // Room for a few stacks of 8 MiB.
  lower_limit(RLIMIT_AS, pages * 4'096 + (40 << 20));
  std::size_t cut = 0;
  {
    std::vector<RawPeer> peers;
    peers.reserve(50);
    for (int i = 0; i < 50; ++i) {
      peers.emplace_back(address_of(server));
    }
    for (RawPeer& peer : peers) {
      cut += peer.closed_within(milliseconds(20)) ? 1 : 0;
    }
  }
  std::_Exit(cut > 0 && serves(server) && server.stop() ? 0 : 1);
}

TEST(ScarceResourcesDeathTest, DescriptorsComeBackAndSoDoesTheServer) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(run_out_of_descriptors(), testing::ExitedWithCode(0), "");
}

TEST(ScarceResourcesDeathTest, ThreadsComeBackAndSoDoesTheServer) {
  if (!kSanitized) {  // Sanitizers need address space without limit.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(run_out_of_threads(), testing::ExitedWithCode(0), "");
  }
}

}  // namespace
}  // namespace gradmill::rpc::test
