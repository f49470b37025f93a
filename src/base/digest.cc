#include "base/digest.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace gradmill {

std::string Digest::hex() const {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kBytes);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

void Sha256::ContextDeleter::operator()(void* context) const noexcept {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  GRADMILL_CHECK(context_ != nullptr);
  GRADMILL_CHECK(
      EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_.get()), EVP_sha256(), nullptr) == 1);
}

Sha256& Sha256::add(std::string_view data) {
  GRADMILL_CHECK(
      EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), data.data(), data.size()) == 1);
  return *this;
}

Digest Sha256::finish() {
  Digest digest;
  unsigned int length = 0;
  GRADMILL_CHECK(EVP_DigestFinal_ex(
                     static_cast<EVP_MD_CTX*>(context_.get()), digest.bytes.data(), &length) == 1);
  GRADMILL_CHECK(length == Digest::kBytes);
  return digest;
}

Digest sha256(std::string_view data) { return Sha256().add(data).finish(); }

}  // namespace gradmill
