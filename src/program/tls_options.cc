#include "program/tls_options.h"

#include <array>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/error.h"

namespace gradmill::program {
namespace {

constexpr std::array<std::pair<const char*, std::string TlsFiles::*>, 3> kOptions = {{
    {"--tls-cert", &TlsFiles::cert},
    {"--tls-key", &TlsFiles::key},
    {"--tls-ca", &TlsFiles::ca},
}};

/// Whether only this machine can reach a server on `host`.
bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return ntohl(v4.s_addr) >> 24U == IN_LOOPBACKNET;
  }
  in6_addr v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6);
  }
  return host == "localhost";
}

}  // namespace

void add_tls_options(CommandLine& line, const TlsFiles& defaults) {
  line.option("--tls-cert", "FILE", defaults.cert, "our certificate (PEM); turns TLS on")
      .option("--tls-key", "FILE", defaults.key, "its private key, that nobody else can read")
      .option("--tls-ca", "FILE", defaults.ca, "the CA that signed all certificates");
}

std::optional<TlsFiles> read_tls_options(const Arguments& arguments) {
  TlsFiles files;
  const char* given = nullptr;
  const char* missing = nullptr;
  for (const auto& [option, file] : kOptions) {
    files.*file = arguments.text(option);
    ((files.*file).empty() ? missing : given) = option;
  }
  if (given == nullptr) {
    return std::nullopt;
  }
  if (missing != nullptr) {
    throw invalid_input(std::string(missing) +
                        " is missing; TLS needs --tls-cert, --tls-key and "
                        "--tls-ca");
  }
  return files;
}

void add_server_tls_options(CommandLine& line) {
  add_tls_options(line, {});
  line.flag("--insecure", "serve other machines without TLS: whoever reaches the port may do all");
}

std::optional<TlsFiles> read_server_tls_options(const Arguments& arguments,
                                                const std::string& host,
                                                std::initializer_list<const char*> dependent) {
  std::optional<TlsFiles> files = read_tls_options(arguments);
  const bool insecure = arguments.flag("--insecure");
  if (files && insecure) {
    throw invalid_input("--insecure does not go with --tls-cert");
  }
  for (const char* const option : dependent) {
    if (!files && arguments.given(option)) {
      throw invalid_input(std::string(option) + " does not go without --tls-cert");
    }
  }
  if (!files && !insecure && !is_loopback(host)) {
    throw invalid_input("--host: other machines can reach " + quoted(host) +
                        ", and without TLS any of them may do anything; give --tls-cert, "
                        "--tls-key and --tls-ca, or --insecure on a network that you trust");
  }
  return files;
}

}  // namespace gradmill::program
