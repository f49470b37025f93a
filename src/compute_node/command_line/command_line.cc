#include "compute_node/command_line/command_line.h"

#include "base/error.h"
#include "program/arguments.h"
#include "program/log_options.h"
#include "program/tls_options.h"

namespace gradmill::node {
namespace {

program::CommandLine command_line() {
  program::CommandLine line("compute_node", "Trains shards of data sets for coordinators.");
  line.positional("<port>", "port to listen on; 0 is any free one")
      .positional("<load_probability>", "share of offers met by simulated load, 0 to 1")
      .option("--host", "HOST", "127.0.0.1", "address to listen on")
      .option("--threads", "N", "1", "OpenMP threads of one task")
      .option("--slots", "N", "1", "tasks trained at a time")
      .option("--load-delay", "TIME", "3s", "how long simulated load delays a task")
      .option("--seed", "N", "1", "of the simulated load and of injected faults")
      .option("--cache-bytes",
              "N",
              "1073741824",
              "bound on the shards it keeps, arriving ones among them")
      .option("--model-cache-bytes", "N", "268435456", "bound on the models it predicts by")
      .option("--max-clients", "N", "256", "connections served at a time");
  line.option("--join",
              "LIST",
              std::nullopt,
              "coordinators to announce itself to, HOST:PORT with commas between")
      .option("--advertise",
              "HOST[:PORT]",
              std::nullopt,
              "where they reach it (default --host and the port)")
      .flag("--enable-fault-injection", "let clients break it on purpose: client fault --help");
  program::add_server_tls_options(line);
  line.option(
      kCoordinatorsOption, "LIST", "coordinator", "names in the coordinators' certificates");
  program::add_log_options(line);
  return line;
}

bool is_any_address(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

JoinRequest join_request(const program::Arguments& arguments) {
  JoinRequest join;
  if (!arguments.given("--join")) {
    if (arguments.given("--advertise")) {
      throw invalid_input("--advertise does not go without --join");
    }
    return join;
  }
  join.coordinators = arguments.addresses("--join");
  join.host = arguments.host("--host");
  const bool advertises = arguments.given("--advertise");
  if (advertises) {
    const Address address = arguments.address("--advertise", 0);
    join.host = address.host;
    join.port = address.port;
  }
  if (is_any_address(join.host)) {
    throw invalid_input(std::string(advertises ? "--advertise" : "--host") + ": " +
                        program::quoted(join.host) +
                        " cannot be reached from elsewhere; with --join, name the node's own "
                        "address by --advertise");
  }
  return join;
}

}  // namespace

std::optional<ServeRequest> parse_command_line(const std::vector<std::string>& words) {
  const std::optional<program::Arguments> arguments = command_line().parse(words);
  if (!arguments) {
    return std::nullopt;
  }
  program::apply_log_options(*arguments);
  ServeRequest request;
  const auto port = static_cast<std::uint16_t>(arguments->integer("<port>", 0, 65'535));
  request.load_probability = arguments->real("<load_probability>", 0, 1);
  request.options.threads = static_cast<int>(arguments->integer("--threads", 1, 1024));
  request.options.slots = static_cast<std::uint32_t>(arguments->integer("--slots", 1, 64));
  request.options.load_delay = arguments->duration("--load-delay");
  request.options.cache_bytes = arguments->integer("--cache-bytes", 0, INT64_MAX);
  request.options.model_cache_bytes = arguments->integer("--model-cache-bytes", 0, INT64_MAX);
  request.join = join_request(*arguments);
  request.seed = arguments->integer("--seed", 0, UINT64_MAX);
  request.fault_injection = arguments->flag("--enable-fault-injection");
  request.clients_max = static_cast<int>(arguments->integer("--max-clients", 1, 100'000));
  request.listen = {arguments->host("--host"), port};
  request.tls =
      program::read_server_tls_options(*arguments, request.listen.host, {kCoordinatorsOption});
  request.coordinators = arguments->names(kCoordinatorsOption);
  return request;
}

}  // namespace gradmill::node
