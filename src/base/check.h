// Assertions for bugs, on in every build.
#pragma once

namespace gradmill::internal {

/// Prints one line that names the broken condition, and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace gradmill::internal

/// Ends the process when `condition` does not hold: a bug in gradmill, never bad input.
#define GRADMILL_CHECK(condition) \
  (static_cast<bool>(condition)   \
       ? static_cast<void>(0)     \
       : ::gradmill::internal::check_failed(#condition, __FILE__, __LINE__))
