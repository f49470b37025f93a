#include "client/request/common_options.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/random_id.h"
#include "program/tls_options.h"

namespace gradmill::client {
namespace {

constexpr const char* kVariable = "GRADMILL_COORDINATOR";
constexpr std::array<std::string_view, 2> kFormats = {"text", "json"};

/// A variable of the environment; empty if there is none.
std::string environment(const char* name) {
  // Read once, before any thread is started.
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

}  // namespace

void add_coordinator_option(program::CommandLine& line) {
  line.option("--coordinator",
              "HOST:PORT",
              environment(kVariable),
              "the coordinator; GRADMILL_COORDINATOR if not given");
}

void add_common_options(program::CommandLine& line) {
  line.option("--format", "text|json", "text", "of the result")
      .values(kFormats)
      .option("--reconnect-timeout",
              "TIME",
              "60s",
              "how long to try again when the coordinator stops answering; 0s: not at all");
  program::add_tls_options(line,
                           {environment("GRADMILL_TLS_CERT"),
                            environment("GRADMILL_TLS_KEY"),
                            environment("GRADMILL_TLS_CA")});
}

Address coordinator_of(const program::Arguments& arguments) {
  if (!arguments.given("--coordinator") && arguments.text("--coordinator").empty()) {
    throw invalid_input("--coordinator HOST:PORT is missing (or GRADMILL_COORDINATOR)");
  }
  if (!arguments.given("--coordinator") && !parse_address(arguments.text("--coordinator"))) {
    throw invalid_input(std::string(kVariable) + ": " +
                        program::quoted(arguments.text("--coordinator")) + " is not HOST:PORT");
  }
  return arguments.address("--coordinator");
}

void read_common_options(const program::Arguments& arguments, CommonRequest& request) {
  request.format = arguments.choice("--format", kFormats) == "json" ? Format::kJson : Format::kText;
  request.reconnect_timeout = arguments.duration("--reconnect-timeout");
  request.tls = program::read_tls_options(arguments);
}

std::optional<program::Arguments> parse_common(program::CommandLine& line,
                                               const std::vector<std::string>& words,
                                               CommonRequest& request) {
  add_coordinator_option(line);
  add_common_options(line);
  std::optional<program::Arguments> arguments = line.parse(words);
  if (arguments) {
    request.coordinator = coordinator_of(*arguments);
    read_common_options(*arguments, request);
  }
  return arguments;
}

void add_job_options(program::CommandLine& line) {
  line.option("--id", "ID", std::nullopt, "id of the job (default: a random one)")
      .option("--priority", "N", "0", "-100 to 100: a higher one comes first at each free slot")
      .option("--weight", "N", "1", "1 to 1000: shares of the nodes' time go by it");
}

std::string job_id_of(const program::Arguments& arguments) {
  return arguments.given("--id") ? arguments.text("--id") : "job-" + random_id(8);
}

JobShare share_of(const program::Arguments& arguments) {
  return {.priority = static_cast<std::int32_t>(
              arguments.signed_integer("--priority", -kPriorityMax, kPriorityMax)),
          .weight = static_cast<std::uint32_t>(arguments.integer("--weight", 1, kWeightMax))};
}

void contradict(const std::string& one, const std::string& other) {
  throw invalid_input(one + " does not go with " + other);
}

}  // namespace gradmill::client
