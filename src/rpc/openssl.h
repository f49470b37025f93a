// Owners of OpenSSL's objects. For src/rpc/tls*.cc alone.
#pragma once

#include <memory>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace gradmill::rpc::openssl {

/// Frees with the function that is its argument.
template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};

using Bio = std::unique_ptr<BIO, Free<&BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<&EVP_PKEY_free>>;
using Ssl = std::unique_ptr<SSL, Free<&SSL_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Free<&X509_STORE_CTX_free>>;
using Context = std::shared_ptr<SSL_CTX>;

}  // namespace gradmill::rpc::openssl
