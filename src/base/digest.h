// SHA-256 digests: the identity of shards, weights, deltas and jobs.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gradmill {

/// A SHA-256 value. A plain value type; all zeros stands for "none".
struct Digest {
  static constexpr std::size_t kBytes = 32;
  std::array<std::uint8_t, kBytes> bytes{};

  friend auto operator<=>(const Digest&, const Digest&) = default;
  /// 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const;
};

/// SHA-256 in pieces (OpenSSL). Not thread-safe.
class Sha256 {
 public:
  Sha256();
  Sha256& add(std::string_view data);
  /// The digest of all that was added; call it once.
  [[nodiscard]] Digest finish();

 private:
  struct ContextDeleter {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, ContextDeleter> context_;
};

/// SHA-256 of `data`.
[[nodiscard]] Digest sha256(std::string_view data);

}  // namespace gradmill

template <>
struct std::hash<gradmill::Digest> {
  std::size_t operator()(const gradmill::Digest& digest) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};
