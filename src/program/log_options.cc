#include "program/log_options.h"

#include <array>
#include <string_view>

#include "base/event_log.h"

namespace gradmill::program {
namespace {

constexpr std::array<std::string_view, 2> kFormats = {"text", "json"};

}  // namespace

void add_log_options(CommandLine& line) {
  line.option("--log-format", "text|json", "text", "of the log on stderr").values(kFormats);
}

void apply_log_options(const Arguments& arguments) {
  const bool json = arguments.choice("--log-format", kFormats) == "json";
  set_log_format(json ? LogFormat::kJson : LogFormat::kTimedText);
}

}  // namespace gradmill::program
