// The options that protect connections.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "base/tls_files.h"
#include "program/arguments.h"

namespace gradmill::program {

/// Adds --tls-cert, --tls-key and --tls-ca, with these paths for defaults.
void add_tls_options(CommandLine& line, const TlsFiles& defaults);
/// Nothing if none of them is there. Throws Error(kInvalidInput) if only some are.
[[nodiscard]] std::optional<TlsFiles> read_tls_options(const Arguments& arguments);

/// Adds the same without defaults, and --insecure.
void add_server_tls_options(CommandLine& line);

/// As read_tls_options(); also throws Error(kInvalidInput) if a server on `host` would serve other
/// machines without TLS, unless --insecure says so, or if one of `dependent` options is given that
/// mean nothing without TLS.
[[nodiscard]] std::optional<TlsFiles> read_server_tls_options(
    const Arguments& arguments,
    const std::string& host,
    std::initializer_list<const char*> dependent);

}  // namespace gradmill::program
