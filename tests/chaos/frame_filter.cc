#include "chaos/frame_filter.h"

#include <algorithm>

namespace gradmill::chaos {

namespace {
constexpr std::size_t kHeader = 4;
}

std::string FrameFilter::pass(std::string_view bytes, const std::function<bool()>& is_lost) {
  std::string passed;
  while (!bytes.empty()) {
    std::size_t size = 1;
    if (left_ > 0) {
      size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      left_ -= size;
    } else {
      if (header_ == 0) {
        lost_ = is_lost();
        length_ = 0;
      }
      length_ = (length_ << 8U) | static_cast<unsigned char>(bytes.front());
      if (++header_ == kHeader) {
        header_ = 0;
        left_ = length_;
      }
    }
    if (!lost_) {
      passed += bytes.substr(0, size);
    }
    bytes.remove_prefix(size);
  }
  return passed;
}

}  // namespace gradmill::chaos
