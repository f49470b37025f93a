// Finds the messages in a stream of bytes, to lose some of them whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gradmill::chaos {

/// One direction of a connection with framed messages: four bytes of length, highest first, and so
/// many bytes. Bytes come in pieces of any size.
class FrameFilter {
 public:
  /// What of `bytes` passes. `is_lost` is asked once a frame, at its first byte.
  [[nodiscard]] std::string pass(std::string_view bytes, const std::function<bool()>& is_lost);

 private:
  std::size_t header_ = 0;  // bytes of the length that have come
  std::uint32_t length_ = 0;
  std::uint64_t left_ = 0;  // of the frame's content
  bool lost_ = false;
};

}  // namespace gradmill::chaos
