#include "formats/natural_order.h"

#include <algorithm>
#include <cstddef>

namespace gradmill::formats {
namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/// Cuts the run of digits off the front of `text`; returns it without leading zeros.
std::string_view take_number(std::string_view& text) {
  const auto* const end = std::find_if_not(text.begin(), text.end(), is_digit);
  std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

/// Below, at or above zero as number `a` is less than, equal to or greater than `b`. Numbers are
/// compared as text because a run of digits may be of any length.
int compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return a.size() < b.size() ? -1 : 1;
  }
  return a.compare(b);
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  std::string_view rest_a = a;
  std::string_view rest_b = b;
  while (!rest_a.empty() && !rest_b.empty()) {
    if (is_digit(rest_a.front()) && is_digit(rest_b.front())) {
      const int order = compare_numbers(take_number(rest_a), take_number(rest_b));
      if (order != 0) {
        return order < 0;
      }
      continue;
    }
    if (rest_a.front() != rest_b.front()) {
      return static_cast<unsigned char>(rest_a.front()) <
             static_cast<unsigned char>(rest_b.front());
    }
    rest_a.remove_prefix(1);
    rest_b.remove_prefix(1);
  }
  if (rest_a.empty() != rest_b.empty()) {
    return rest_a.empty();
  }
  return a < b;
}

}  // namespace gradmill::formats
