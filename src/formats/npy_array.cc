#include "formats/npy_array.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/number.h"
#include "formats/text.h"

namespace gradmill::formats {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kDictBytesMax = 10'000;  // NumPy's own limit.
constexpr std::size_t kDimensionsMax = 32;     // NumPy's own limit.

/// The little-endian number that `bytes` are.
std::size_t number_of(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

/// The part of Python's syntax that a header may have, read from its front. Every function skips
/// blanks first, and takes nothing if it does not find what it is for.
class DictText {
 public:
  explicit DictText(std::string_view text) : rest_(text) {}

  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) {
      return false;
    }
    rest_.remove_prefix(token.size());
    return true;
  }

  /// A string between quotes of one kind, without escapes.
  std::optional<std::string> take_string() {
    skip_blanks();
    if (!rest_.starts_with('\'') && !rest_.starts_with('"')) {
      return std::nullopt;
    }
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos || rest_.substr(0, end).find('\\') < end) {
      return std::nullopt;
    }
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::optional<bool> take_bool() {
    if (take("True")) {
      return true;
    }
    return take("False") ? std::optional(false) : std::nullopt;
  }

  /// A tuple of numbers: `()`, `(3,)`, `(3, 4)`, `(3, 4,)`.
  std::optional<std::vector<std::uint64_t>> take_tuple() {
    std::vector<std::uint64_t> numbers;
    if (!take("(")) {
      return std::nullopt;
    }
    bool comma = true;
    while (!take(")")) {
      const std::size_t digits = rest_.find_first_not_of("0123456789");
      const auto number = parse_integer<std::uint64_t>(rest_.substr(0, digits));
      if (!comma || !number || digits > rest_.size() || numbers.size() == kDimensionsMax) {
        return std::nullopt;
      }
      rest_.remove_prefix(digits);
      numbers.push_back(*number);
      comma = take(",");
    }
    // `(3)` is a number in Python.
    return numbers.size() == 1 && !comma ? std::nullopt : std::optional(std::move(numbers));
  }

  /// Whether nothing but blanks and the last line's end is left.
  bool at_end() {
    skip_blanks();
    return rest_ == "\n";
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size())); }

  std::string_view rest_;
};

/// The dict's members; nothing if it is not the one that NumPy writes.
struct Dict {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
};

std::optional<Dict> parse_dict(std::string_view text) {
  DictText rest(text);
  Dict dict;
  if (!rest.take("{")) {
    return std::nullopt;
  }
  bool comma = true;
  while (!rest.take("}")) {
    const auto key = rest.take_string();
    if (!comma || !key || !rest.take(":")) {
      return std::nullopt;
    }
    bool known = false;
    if (*key == "descr" && !dict.descr) {
      known = (dict.descr = rest.take_string()).has_value();
    } else if (*key == "fortran_order" && !dict.fortran_order) {
      known = (dict.fortran_order = rest.take_bool()).has_value();
    } else if (*key == "shape" && !dict.shape) {
      known = (dict.shape = rest.take_tuple()).has_value();
    }
    if (!known) {
      return std::nullopt;
    }
    comma = rest.take(",");
  }
  const bool whole = dict.descr && dict.fortran_order && dict.shape && rest.at_end();
  return whole ? std::optional(std::move(dict)) : std::nullopt;
}

}  // namespace

std::string npy_header(const std::string& dtype, const std::vector<std::uint64_t>& shape) {
  std::string dict = "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    dict += (i == 0 ? "" : " ") + std::to_string(shape[i]) + (i + 1 < shape.size() ? "," : "");
  }
  dict += shape.size() == 1 ? ",), }" : "), }";
  std::string header = std::string(kMagic) + std::string("\1\0\0\0", 4);
  const std::size_t end = (header.size() + dict.size()) / kAlignment * kAlignment + kAlignment;
  dict.resize(end - header.size() - 1, ' ');
  dict += '\n';
  GRADMILL_CHECK(dict.size() <= kDictBytesMax);
  header[kMagic.size() + 2] = static_cast<char>(dict.size() & 0xFFU);
  header[kMagic.size() + 3] = static_cast<char>(dict.size() >> 8U);
  return header + dict;
}

NpyArray parse_npy(std::string bytes, const std::string& what) {
  const std::string_view text = bytes;
  const std::size_t prefix = kMagic.size() + 2;
  if (!text.starts_with(kMagic) || text.size() < prefix) {
    throw invalid_input(what + " is no NumPy array");
  }
  const int major = static_cast<unsigned char>(text[kMagic.size()]);
  const int minor = static_cast<unsigned char>(text[kMagic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    throw invalid_input(what + " has the format version " + std::to_string(major) + '.' +
                        std::to_string(minor) + "; 1.0 to 3.0 are supported");
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t dict_bytes = number_of(text.substr(prefix, length_bytes));
  const std::size_t header_bytes = prefix + length_bytes + dict_bytes;
  if (dict_bytes > kDictBytesMax || header_bytes > text.size()) {
    throw invalid_input(what + " would have a header of " + std::to_string(dict_bytes) + " bytes");
  }
  auto dict = parse_dict(text.substr(prefix + length_bytes, dict_bytes));
  if (!dict) {
    throw invalid_input(what + " has a header that is not of a plain NumPy array");
  }
  if (*dict->fortran_order) {
    throw invalid_input(what + " is in Fortran order; numpy.ascontiguousarray makes it fit");
  }
  return {.bytes = std::move(bytes),
          .header_bytes = header_bytes,
          .dtype = std::move(*dict->descr),
          .shape = std::move(*dict->shape)};
}

void check_elements(const NpyArray& array, std::uint64_t element_bytes, const std::string& what) {
  const std::uint64_t held = array.data().size();
  std::uint64_t needed = element_bytes;
  for (const std::uint64_t size : array.shape) {
    if (__builtin_mul_overflow(needed, size, &needed)) {
      throw invalid_input(what + " has a shape that no file can hold");
    }
  }
  if (needed != held) {
    throw invalid_input(what + " has " + std::to_string(held) +
                        " bytes of data; its shape asks for " + std::to_string(needed));
  }
}

}  // namespace gradmill::formats
