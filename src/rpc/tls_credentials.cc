#include "rpc/tls_credentials.h"

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/durable_file.h"
#include "base/error.h"

namespace gradmill::rpc {
namespace {

using Certificates = std::vector<openssl::Certificate>;

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20U;

openssl::Bio reader_of(const std::string& text) {
  return openssl::Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// The reason of OpenSSL's last error, for the middle of a sentence.
std::string last_reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "OpenSSL does not say why" : reason;
}

Certificates read_certificates(const std::string& path) {
  const std::string text = read_file(path, kFileBytesMax);
  const openssl::Bio reader = reader_of(text);
  Certificates certificates;
  while (X509* const next = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(next);
  }
  if (certificates.empty() || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    throw invalid_input(path + ": holds no certificate in PEM form, or a damaged one");
  }
  return certificates;
}

/// Only we or root may own a key, and nobody else read it; but a group if root says so.
void check_access(const std::string& path, const struct stat& status) {
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    throw invalid_input(path + ": this key belongs to another user (" +
                        std::to_string(status.st_uid) + "); run: chown " +
                        std::to_string(::geteuid()) + " " + path);
  }
  const mode_t allowed = status.st_uid == 0 ? 0740 : 0700;
  if ((status.st_mode & 0777 & ~allowed) != 0) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", status.st_mode & 07777U);
    throw invalid_input(path + ": others can read or change this key (mode " + mode.data() +
                        "); run: chmod 600 " + path);
  }
}

/// Answers OpenSSL's question for a passphrase, which it would else ask at the terminal.
int no_passphrase(char* /*buffer*/, int /*bytes*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

openssl::Key read_key(const std::string& path) {
  const std::string text = read_file(
      path, kFileBytesMax, [&](const struct stat& status) { check_access(path, status); });
  bool is_encrypted = false;
  openssl::Key key(
      PEM_read_bio_PrivateKey(reader_of(text).get(), nullptr, no_passphrase, &is_encrypted));
  if (is_encrypted) {
    throw invalid_input(path + ": the key has a passphrase; give one without");
  }
  if (key == nullptr) {
    throw invalid_input(path + ": holds no private key in PEM form");
  }
  return key;
}

std::string time_text(const ASN1_TIME* time) {
  const openssl::Bio writer(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(writer.get(), time);
  const char* text = nullptr;
  const auto bytes = BIO_get_mem_data(writer.get(), &text);
  return {text, static_cast<std::size_t>(bytes)};
}

/// Why a certificate of ours is not acceptable.
std::string reason_of(int verdict, const X509* certificate, const TlsFiles& files) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "expired on " + time_text(X509_get0_notAfter(certificate)) + "; make a new one";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "is not valid before " + time_text(X509_get0_notBefore(certificate)) +
             "; check the clock";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "was not signed by " + files.ca;
    default:
      return X509_verify_cert_error_string(verdict);
  }
}

/// Judges our own certificate as a peer will.
void check_acceptable(SSL_CTX* context, X509* certificate, const TlsFiles& files) {
  const openssl::StoreContext judge(X509_STORE_CTX_new());
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  if (judge == nullptr ||
      X509_STORE_CTX_init(judge.get(), SSL_CTX_get_cert_store(context), certificate, chain) != 1) {
    throw std::bad_alloc();
  }
  if (X509_verify_cert(judge.get()) != 1) {
    const bool is_own = X509_STORE_CTX_get_error_depth(judge.get()) == 0;
    throw invalid_input((is_own ? files.cert : files.ca) + ": the certificate " +
                        reason_of(X509_STORE_CTX_get_error(judge.get()),
                                  X509_STORE_CTX_get_current_cert(judge.get()),
                                  files));
  }
}

/// A certificate of the wrong kind would be refused by each peer, long after the start.
void check_purpose(X509* certificate, TlsRole role, const std::string& path) {
  const bool may_dial = X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 0) == 1;
  const bool may_serve = X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) == 1;
  if (role == TlsRole::kClient && !may_dial) {
    throw invalid_input(path + ": the certificate is not for clients (clientAuth); give a user's");
  }
  if (role == TlsRole::kServer && !(may_dial && may_serve)) {
    throw invalid_input(path +
                        ": the certificate is not for servers, which also call each other "
                        "(serverAuth and clientAuth); give a server's");
  }
}

openssl::Context make_context() {
  openssl::Context context(SSL_CTX_new(TLS_method()), &SSL_CTX_free);
  if (context == nullptr) {
    throw std::bad_alloc();
  }
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  // Tickets would also be bytes on a connection that must be silent between calls.
  SSL_CTX_set_num_tickets(raw, 0);
  // Frames say where they end, so an end without a farewell cuts nothing short unnoticed.
  SSL_CTX_set_options(raw,
                      SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                          SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(raw, 1);
  return context;
}

}  // namespace

openssl::Context load_credentials(const TlsFiles& files, TlsRole role) {
  ERR_clear_error();
  openssl::Context context = make_context();
  SSL_CTX* const raw = context.get();
  const Certificates own = read_certificates(files.cert);
  const openssl::Key key = read_key(files.key);
  for (const openssl::Certificate& authority : read_certificates(files.ca)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), authority.get());
  }
  if (SSL_CTX_use_certificate(raw, own.front().get()) != 1) {
    throw invalid_input(files.cert + ": the certificate cannot be used: " + last_reason());
  }
  for (std::size_t n = 1; n < own.size(); ++n) {
    SSL_CTX_add1_chain_cert(raw, own[n].get());
  }
  if (X509_check_private_key(own.front().get(), key.get()) != 1) {
    throw invalid_input(files.key + ": is not the key of " + files.cert);
  }
  if (SSL_CTX_use_PrivateKey(raw, key.get()) != 1) {
    throw invalid_input(files.key + ": the key cannot be used: " + last_reason());
  }
  check_acceptable(raw, own.front().get(), files);
  check_purpose(own.front().get(), role, files.cert);
  ERR_clear_error();
  return context;
}

}  // namespace gradmill::rpc
