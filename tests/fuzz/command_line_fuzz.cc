// The input is a byte, which chooses a program, and a word a line.
#include <iostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "client/request/request.h"
#include "compute_node/command_line/command_line.h"
#include "coordinator/command_line/command_line.h"
#include "fuzz/target.h"
#include "program/completion.h"

namespace gradmill::fuzz {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

void parse(std::uint8_t program, const std::vector<std::string>& words) {
  try {
    switch (program % 3) {
      case 0:
        return static_cast<void>(client::parse_request(words));
      case 1:
        return static_cast<void>(coordinator::parse_command_line(words));
      default:
        return static_cast<void>(node::parse_command_line(words));
    }
  } catch (const program::Completion& asked) {
    GRADMILL_CHECK(!program::shell_answer(asked).empty());
  } catch (const Error& error) {
    GRADMILL_CHECK(error.code() == ErrorCode::kInvalidInput);
    check_message(error.what());
  }
}

}  // namespace
}  // namespace gradmill::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::cout.setstate(std::ios::failbit);  // Help is of no interest.
  std::string_view input = gradmill::fuzz::text_of(data, size);
  const std::uint8_t program = gradmill::fuzz::take_byte(input);
  gradmill::fuzz::parse(program, gradmill::fuzz::words_of(input));
  return 0;
}
