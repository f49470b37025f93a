// The files that a program proves its identity with.
#pragma once

#include <string>

namespace gradmill {

/// Paths of PEM files.
struct TlsFiles {
  std::string cert;  ///< Our certificate, and any between it and the CA's.
  std::string key;   ///< Its private key, without a passphrase.
  std::string ca;    ///< Certificates of the authorities that sign our peers', and ours.
};

}  // namespace gradmill
