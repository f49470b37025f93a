// A CA and what it signs, in a folder that goes with the test.
#pragma once

#include <filesystem>
#include <string>

#include "base/tls_files.h"

namespace gradmill::test {

/// What scripts/make-certs makes: coordinator, node, operator and viewer. Throws
/// std::runtime_error where openssl fails.
class Certificates {
 public:
  Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates();

  /// The files of a name, and the CA.
  [[nodiscard]] TlsFiles of(const std::string& name) const;
  [[nodiscard]] std::string path(const std::string& file) const;

  /// One more user.
  void add_user(const std::string& name) const;
  /// One more server, that is reached at `host` and at loopback.
  void add_server(const std::string& name, const std::string& host) const;
  /// Signs the key of `name` again with an extension file's lines, for so many days from now.
  void sign_again(const std::string& name, const std::string& extensions, int days) const;
  /// As sign_again(), but for a time to come.
  void sign_for_later(const std::string& name) const;
  /// As sign_again(), but by itself.
  void sign_by_itself(const std::string& name) const;

 private:
  std::filesystem::path folder_;
};

/// As it comes out of scripts/make-certs, for sign_again().
inline constexpr const char* kLoopbackServer =
    "subjectAltName=DNS:localhost,IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth";

/// Runs a line of the shell; throws std::runtime_error unless it succeeds.
void run_shell(const std::string& line);

}  // namespace gradmill::test
