// Reads what a program proves its identity with, and checks it before anybody else does.
#pragma once

#include "base/tls_files.h"
#include "rpc/openssl.h"
#include "rpc/tls.h"

namespace gradmill::rpc {

/// What connections of either direction are made from: TLS 1.2 or later, both sides show a
/// certificate, no resumption (so that every connection is judged by the files of its day), no
/// renegotiation. Throws Error(kInvalidInput) with one line, naming the file, if a file cannot be
/// read, the key is another user's, open to others or not the certificate's, or the certificate
/// would not be accepted: expired, not yet valid, not signed by the CA, not for this role.
[[nodiscard]] openssl::Context load_credentials(const TlsFiles& files, TlsRole role);

}  // namespace gradmill::rpc
