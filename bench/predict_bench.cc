// What predictions cost, in real processes over loopback: prints `key value` lines.
// usage: predict_bench [KEY...]; without keys, all of them.
//        predict_bench serve [PORT]: answers hello, by asking the server at PORT if there is one
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <wire/CoordinatorService.h>
#include <wire/common_constants.h>

#include "base/durable_file.h"
#include "formats/csv.h"
#include "load_generator.h"
#include "program/process.h"
#include "rpc/connection.h"
#include "rpc/server.h"
#include "system/cluster.h"

namespace gradmill::bench {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TFramedTransport;
using apache::thrift::transport::TMemoryBuffer;
using system_test::Cluster;
using system_test::Process;

constexpr std::chrono::seconds kDuration{4};
constexpr std::chrono::seconds kWarmUp{1};
constexpr double kRate = 2000;
constexpr std::size_t kOpenConnections = 16;
constexpr std::size_t kConnections = 64;
constexpr std::size_t kBatchConnections = 4;
constexpr std::size_t kBatchRows = 4096;
constexpr std::size_t kFeatures = 16;
constexpr const char* kRow = "2,8,3,5,1,8,13,0,6,6,10,8,0,8,0,8";

/// The frame of what `send` calls.
template <class Send>
std::string frame_of(const Send& send) {
  const auto memory = std::make_shared<TMemoryBuffer>();
  wire::CoordinatorServiceClient client(
      std::make_shared<TBinaryProtocol>(std::make_shared<TFramedTransport>(memory)));
  send(client);
  return memory->getBufferAsString();
}

std::string hello_frame() {
  wire::HelloRequest request;
  request.protocol_version = wire::g_common_constants.PROTOCOL_VERSION;
  request.role = wire::Role::CLIENT;
  return frame_of([&](auto& client) { client.send_hello(request); });
}

/// The first rows of the letters, again and again.
Call prediction(std::size_t rows) {
  const std::string path = std::string(GRADMILL_LETTERS) + "/validate_letters.txt";
  const ml::Shard shard = formats::parse_csv(read_file(path, std::size_t{64} << 20U), path, {});
  const auto& bytes = std::get<std::vector<std::uint8_t>>(shard.values);
  wire::PredictRequest request;
  request.model = "letters";
  request.rows.elements = wire::ElementType::BYTE;
  request.rows.rows = static_cast<std::int32_t>(rows);
  request.rows.features = kFeatures;
  for (std::size_t k = 0; k < rows * kFeatures; ++k) {
    request.rows.values.push_back(static_cast<char>(bytes[k % bytes.size()]));
  }
  return {hello_frame(), frame_of([&](auto& client) { client.send_predict(request); })};
}

/// Nodes that predict, and a coordinator.
struct Serving {
  Cluster cluster;

  /// With a model of the letters that has one hidden layer of 24.
  Serving() {
    const system_test::Ended trained = cluster.train({GRADMILL_LETTERS, "3", "75", "24", "0.0001"});
    if (trained.code != 0) {
      throw std::runtime_error("the client failed: " + trained.err);
    }
    const auto is_ready = [&] {
      return cluster.client({"predict", "letters", "--row", kRow}).code == 0;
    };
    if (!system_test::eventually(is_ready)) {
      throw std::runtime_error("no node predicts");
    }
  }
  [[nodiscard]] std::unique_ptr<LoadGenerator> load(std::size_t connections,
                                                    std::size_t rows) const {
    auto generator = std::make_unique<LoadGenerator>(cluster.port(), connections, prediction(rows));
    static_cast<void>(generator->as_fast_as_possible(kWarmUp));
    return generator;
  }
};

/// Answers hello, and nothing else.
class HelloOnly : public wire::CoordinatorServiceNull {
 public:
  void hello(wire::HelloResponse& response, const wire::HelloRequest& request) override {
    response.protocol_version = request.protocol_version;
    response.role = wire::Role::COORDINATOR;
  }
};

/// Asks another server before it answers.
class Relay final : public HelloOnly {
 public:
  explicit Relay(std::uint16_t port) : upstream_({"127.0.0.1", port}) {}
  void hello(wire::HelloResponse& response, const wire::HelloRequest& request) override {
    upstream_.call(std::chrono::seconds(3), [&](auto& client) { client.hello(response, request); });
  }

 private:
  rpc::Connection<wire::CoordinatorServiceClient> upstream_;
};

class HelloFactory final : public wire::CoordinatorServiceIfFactory {
 public:
  explicit HelloFactory(std::uint16_t port) : port_(port) {}
  wire::CoordinatorServiceIf* getHandler(const apache::thrift::TConnectionInfo&) override {
    return port_ == 0 ? new HelloOnly : new Relay(port_);
  }
  void releaseHandler(wire::CoordinatorServiceIf* handler) override { delete handler; }

 private:
  std::uint16_t port_;
};

int serve(std::uint16_t upstream) {
  rpc::ServerOptions options;
  options.name = "hello";
  options.address = {"127.0.0.1", 0};
  rpc::Server server(options,
                     std::make_shared<wire::CoordinatorServiceProcessorFactory>(
                         std::make_shared<HelloFactory>(upstream)));
  server.start();
  program::announce_listening({options.address.host, server.port()});
  program::wait_for_stop_signal();
  return server.stop() ? 0 : 1;
}

/// Two servers, one behind the other, that do nothing: what the calls cost without the work.
struct BareHops {
  Process last{{"/proc/self/exe", "serve"}};
  std::uint16_t last_port = system_test::announced_port(last);
  Process first{{"/proc/self/exe", "serve", std::to_string(last_port)}};
  std::uint16_t port = system_test::announced_port(first);

  [[nodiscard]] LoadGenerator load(std::size_t connections) const {
    return {port, connections, {hello_frame(), hello_frame()}};
  }
};

using Print = std::function<void(const std::string& key, double value)>;

void bare(const Print& print) {
  const BareHops hops;
  const LoadResult at_rate = hops.load(kOpenConnections).at_rate(kRate, kDuration);
  print("bare_two_hop_p50_us_at_2000", at_rate.percentile(0.5));
  print("bare_two_hop_p99_us_at_2000", at_rate.percentile(0.99));
  print("bare_two_hop_rps_64_connections",
        hops.load(kConnections).as_fast_as_possible(kDuration).rate());
}

void single_rows(const Print& print) {
  const Serving serving;
  const LoadResult at_rate = serving.load(kOpenConnections, 1)->at_rate(kRate, kDuration);
  print("predict_p50_us_at_2000", at_rate.percentile(0.5));
  print("predict_p99_us_at_2000", at_rate.percentile(0.99));
  print("predict_rps_64_connections",
        serving.load(kConnections, 1)->as_fast_as_possible(kDuration).rate());
}

void batches(const Print& print) {
  const Serving serving;
  const LoadResult load =
      serving.load(kBatchConnections, kBatchRows)->as_fast_as_possible(kDuration);
  print("predict_batch4096_rows_per_s", load.rate() * static_cast<double>(kBatchRows));
}

void while_training(const Print& print) {
  const Serving serving;
  Process client(system_test::command(
      "client", serving.cluster.train_words({GRADMILL_LETTERS, "100000", "75", "24", "0.0001"})));
  if (!client.says("round 2/", std::chrono::seconds(30))) {
    throw std::runtime_error("the training does not begin: " + client.err());
  }
  print("predict_p99_us_while_training",
        serving.load(kOpenConnections, 1)->at_rate(kRate, kDuration).percentile(0.99));
}

int run(const std::vector<std::string>& keys) {
  const Print print = [&](const std::string& key, double value) {
    if (keys.empty() || std::find(keys.begin(), keys.end(), key) != keys.end()) {
      static_cast<void>(std::printf("%s %.6g\n", key.c_str(), value));
      static_cast<void>(std::fflush(stdout));
    }
  };
  // What each part prints.
  const std::vector<std::pair<std::vector<std::string>, void (*)(const Print&)>> parts = {
      {{"bare_two_hop_p50_us_at_2000",
        "bare_two_hop_p99_us_at_2000",
        "bare_two_hop_rps_64_connections"},
       bare},
      {{"predict_p50_us_at_2000", "predict_p99_us_at_2000", "predict_rps_64_connections"},
       single_rows},
      {{"predict_p99_us_while_training"}, while_training},
      {{"predict_batch4096_rows_per_s"}, batches}};
  for (const auto& [names, measure] : parts) {
    if (keys.empty() ||
        std::find_first_of(names.begin(), names.end(), keys.begin(), keys.end()) != names.end()) {
      measure(print);
    }
  }
  return 0;
}

}  // namespace
}  // namespace gradmill::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (!words.empty() && words[0] == "serve") {
      return gradmill::program::run_program("predict_bench", [&] {
        return gradmill::bench::serve(
            words.size() > 1 ? static_cast<std::uint16_t>(std::stoi(words[1])) : std::uint16_t{0});
      });
    }
    return gradmill::bench::run(words);
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "predict_bench: %s\n", error.what()));
    return 1;
  }
}
