#include "rpc/tls_stream.h"

#include <cerrno>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace gradmill::rpc {
namespace {

using State = Progress::State;

// What a peer's certificate lacks.
std::string verdict_text(long verdict, const std::string& target) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet; check the clocks";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is not for " + target + "; make one that names this host";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "its certificate is self-signed, not by the CA in --tls-ca";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "its certificate was not signed by the CA in --tls-ca";
    case X509_V_ERR_INVALID_PURPOSE:
      return target.empty() ? "its certificate is not for clients"
                            : "its certificate is not for servers";
    default:
      return std::string("its certificate is not accepted: ") +
             X509_verify_cert_error_string(verdict);
  }
}

// What a peer's last word says of our certificate; null if it is of something else.
const char* refusal_text(int alert) {
  switch (alert) {
    case SSL_AD_UNKNOWN_CA:
      return "refuses our certificate: another CA signed it";
    case SSL_AD_CERTIFICATE_EXPIRED:
      return "refuses our certificate: it has expired";
    case SSL_AD_CERTIFICATE_REQUIRED:
      return "asks for a certificate";
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_NO_CERTIFICATE:
      return "refuses our certificate";
    default:
      return nullptr;
  }
}

std::string text_of(const ASN1_STRING* string) {
  if (string == nullptr) {
    return {};
  }
  unsigned char* text = nullptr;
  const int bytes = ASN1_STRING_to_UTF8(&text, string);
  if (bytes < 0) {
    return {};
  }
  std::string copy(reinterpret_cast<const char*>(text), static_cast<std::size_t>(bytes));
  OPENSSL_free(text);
  return copy;
}

std::string common_name(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return at < 0 ? std::string()
                : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::string first_dns_name(const X509* certificate) {
  using Names = std::unique_ptr<GENERAL_NAMES, openssl::Free<&GENERAL_NAMES_free>>;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int n = 0; n < sk_GENERAL_NAME_num(names.get()); ++n) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), n);
    if (name->type == GEN_DNS) {
      return text_of(name->d.dNSName);
    }
  }
  return {};
}

}  // namespace

TlsStream::TlsStream(Descriptor fd, openssl::Ssl ssl, std::string target)
    : fd_(std::move(fd)), ssl_(std::move(ssl)), target_(std::move(target)) {}

Progress TlsStream::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    usable_ = true;
    return {};
  }
  const Progress progress = progress_of(result);
  if (progress.state == State::kEnded && !target_.empty()) {
    throw TlsFailure(ErrorCode::kUnreachable,
                     "closed the connection before TLS was agreed on; if it runs without TLS, "
                     "leave out --tls-*");
  }
  return progress;
}

Progress TlsStream::read(std::uint8_t* buffer, std::uint32_t bytes) {
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), buffer, bytes, &got);
  return result == 1 ? Progress{.bytes = static_cast<std::uint32_t>(got)} : progress_of(result);
}

Progress TlsStream::write(const std::uint8_t* buffer, std::uint32_t bytes) {
  ERR_clear_error();
  std::size_t sent = 0;
  const int result = SSL_write_ex(ssl_.get(), buffer, bytes, &sent);
  if (result == 1) {
    return {.bytes = static_cast<std::uint32_t>(sent)};
  }
  const Progress progress = progress_of(result);
  if (progress.state == State::kEnded) {
    // A peer that refuses our certificate says so and closes, maybe while we write already.
    std::uint8_t last_word = 0;
    static_cast<void>(read(&last_word, 1));
  }
  return progress;
}

bool TlsStream::quiet() const noexcept {
  return SSL_has_pending(ssl_.get()) == 0 && is_silent(fd());
}

void TlsStream::close() noexcept {
  if (std::exchange(usable_, false)) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  fd_.close();
}

std::optional<PeerIdentity> TlsStream::peer() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) {
    return std::nullopt;
  }
  std::string name = common_name(certificate);
  return PeerIdentity{name.empty() ? first_dns_name(certificate) : std::move(name)};
}

Progress TlsStream::progress_of(int result) {
  const int error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.state = State::kNeedsInput};
    case SSL_ERROR_WANT_WRITE:
      return {.state = State::kNeedsOutput};
    case SSL_ERROR_ZERO_RETURN:
      return {.state = State::kEnded};
    case SSL_ERROR_SYSCALL:
      usable_ = false;
      return error == 0 ? Progress{.state = State::kEnded}
                        : rpc::progress_of(error, State::kNeedsInput);
    default:
      usable_ = false;
      fail();
  }
}

void TlsStream::fail() {
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    throw TlsFailure(ErrorCode::kNotAllowed,
                     verdict_text(SSL_get_verify_result(ssl_.get()), target_));
  }
  if (reason > SSL_AD_REASON_OFFSET) {
    const int alert = reason - SSL_AD_REASON_OFFSET;
    if (const char* const refusal = refusal_text(alert)) {
      throw TlsFailure(ErrorCode::kNotAllowed, refusal);
    }
    throw TlsFailure(ErrorCode::kUnreachable,
                     std::string("refuses our TLS: ") + SSL_alert_desc_string_long(alert));
  }
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      throw TlsFailure(ErrorCode::kNotAllowed, "shows no certificate");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
      throw TlsFailure(ErrorCode::kUnreachable, "offers no TLS of version 1.2 or later");
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNEXPECTED_MESSAGE:
      throw TlsFailure(ErrorCode::kUnreachable,
                       target_.empty() ? "speaks no TLS"
                                       : "speaks no TLS; leave out --tls-*, or start it with them");
    default:
      const char* const text = ERR_reason_error_string(ERR_peek_last_error());
      throw TlsFailure(ErrorCode::kUnreachable,
                       std::string("TLS failed: ") + (text == nullptr ? "unknown reason" : text));
  }
}

}  // namespace gradmill::rpc
