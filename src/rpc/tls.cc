#include "rpc/tls.h"

#include <new>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/event_log.h"
#include "rpc/tls_credentials.h"
#include "rpc/tls_stream.h"

namespace gradmill::rpc {

TlsContext::TlsContext(TlsFiles files, TlsRole role)
    : files_(std::move(files)), role_(role), context_(load_credentials(files_, role_)) {}

void TlsContext::reload() {
  try {
    openssl::Context context = load_credentials(files_, role_);
    const std::lock_guard lock(mutex_);
    context_.swap(context);
  } catch (const Error& error) {
    log_event({.level = LogLevel::kError,
               .event = "tls_reload_failed",
               .fields = {{"reason", error.what()}},
               .message = std::string(error.what()) + "; the certificate of before stays in use",
               .plain = true});
    return;
  }
  log_event({.event = "tls_reloaded",
             .fields = {{"certificate", files_.cert}},
             .message = "read " + files_.cert + ", " + files_.key + " and " + files_.ca + " again",
             .plain = true});
}

std::unique_ptr<Stream> TlsContext::accept(Descriptor fd) const {
  openssl::Ssl ssl = make_ssl(fd.get());
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(fd), std::move(ssl), "");
}

std::unique_ptr<Stream> TlsContext::connect(Descriptor fd, const std::string& host) const {
  openssl::Ssl ssl = make_ssl(fd.get());
  SSL_set_connect_state(ssl.get());
  X509_VERIFY_PARAM* const demands = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(
      demands, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_ip_asc(demands, host.c_str()) != 1) {
    // Not an address, so a name.
    if (X509_VERIFY_PARAM_set1_host(demands, host.data(), host.size()) != 1) {
      throw std::bad_alloc();
    }
    // SSL_set_tlsext_host_name() without its C cast.
    SSL_ctrl(ssl.get(),
             SSL_CTRL_SET_TLSEXT_HOSTNAME,
             TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  return std::make_unique<TlsStream>(std::move(fd), std::move(ssl), host);
}

openssl::Ssl TlsContext::make_ssl(int fd) const {
  openssl::Context context;
  {
    const std::lock_guard lock(mutex_);
    context = context_;
  }
  openssl::Ssl ssl(SSL_new(context.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), fd) != 1) {
    throw std::bad_alloc();
  }
  return ssl;
}

}  // namespace gradmill::rpc
