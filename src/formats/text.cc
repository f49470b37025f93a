#include "formats/text.h"

#include <cstddef>

namespace gradmill::formats {
namespace {

constexpr std::size_t kQuotedBytesMax = 40;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

void append_escaped(std::string& text, char byte) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  const auto code = static_cast<unsigned char>(byte);
  switch (byte) {
    case '\r':
      text += "\\r";
      break;
    case '\n':
      text += "\\n";
      break;
    case '\t':
      text += "\\t";
      break;
    case '\\':
      text += "\\\\";
      break;
    default:
      if (code >= 0x20 && code < 0x7F) {
        text += byte;
      } else {
        text += "\\x";
        text += kDigits[code >> 4U];
        text += kDigits[code & 15U];
      }
  }
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string result = "'";
  for (const char byte : text.substr(0, kQuotedBytesMax)) {
    append_escaped(result, byte);
  }
  result += text.size() > kQuotedBytesMax ? "...'" : "'";
  return result;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

LineReader::LineReader(std::string_view text) : rest_(text) {
  if (rest_.starts_with(kByteOrderMark)) {
    rest_.remove_prefix(kByteOrderMark.size());
  }
}

std::optional<std::string_view> LineReader::next() {
  if (rest_.empty()) {
    return std::nullopt;
  }
  ++number_;
  const std::size_t end = rest_.find('\n');
  if (end == std::string_view::npos) {
    const std::string_view last = rest_;
    rest_ = {};
    return last;
  }
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace gradmill::formats
