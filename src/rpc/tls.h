// Mutual TLS for connections in both directions.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/tls_files.h"
#include "rpc/descriptor.h"
#include "rpc/openssl.h"
#include "rpc/stream.h"

namespace gradmill::rpc {

/// What a program's certificate must be for.
enum class TlsRole {
  kClient,
  kServer,  ///< A client as well: servers call each other.
};

/// Makes streams that prove our identity and demand the peer's: a certificate that --tls-ca signed,
/// and, of a server, one that names the host dialled. Thread-safe.
class TlsContext {
 public:
  /// Reads and checks the files. Throws Error(kInvalidInput), see load_credentials().
  TlsContext(TlsFiles files, TlsRole role);

  /// Reads the files again, for connections to come; those that are open stay as they are. Logs
  /// `tls_reloaded`; or `tls_reload_failed` with the reason, and goes on with what it had.
  void reload();

  /// The server's end of a connection.
  [[nodiscard]] std::unique_ptr<Stream> accept(Descriptor fd) const;
  /// The end of a client that has dialled `host`, a name or an address.
  [[nodiscard]] std::unique_ptr<Stream> connect(Descriptor fd, const std::string& host) const;

 private:
  [[nodiscard]] openssl::Ssl make_ssl(int fd) const;

  const TlsFiles files_;
  const TlsRole role_;
  mutable std::mutex mutex_;
  openssl::Context context_;  // Guarded by mutex_; what it points to never changes.
};

/// The names that peers' certificates may have.
struct AllowedNames {
  std::set<std::string> names;
  std::string option;  ///< Where people set them.
};

/// How a client's connection is protected.
struct ClientTls {
  std::shared_ptr<const TlsContext> context{};  ///< Null: not at all, and nothing else counts.
  std::shared_ptr<const AllowedNames> names{};  ///< Null: any name will do that fits the host.
};

}  // namespace gradmill::rpc
