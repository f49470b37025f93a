// What the text formats share: lines, blanks, and safe quotes for messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gradmill::formats {

/// `text` in single quotes, fit for a one-line message: cut to 40 bytes, and everything but
/// printable ASCII escaped.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// `text` without the spaces and tabs at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Walks the lines of a text: skips a byte-order mark, ends lines at LF or CRLF. A CR elsewhere is
/// part of its line.
class LineReader {
 public:
  /// `text` must outlive the reader and its lines.
  explicit LineReader(std::string_view text);
  /// The next line without its end, or nothing after the last one.
  [[nodiscard]] std::optional<std::string_view> next();
  /// The number of the line that next() returned last, from 1.
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::uint64_t number_ = 0;
};

}  // namespace gradmill::formats
