// Errors that people or peers see.
#pragma once

#include <stdexcept>
#include <string>

namespace gradmill {

/// What an error means to whoever asked; programs map it to their exit code, handlers to the wire.
enum class ErrorCode {
  kInvalidInput,  ///< The input or usage is wrong; the message names the culprit.
  kFailed,        ///< The work was tried and failed.
  kCancelled,     ///< Somebody asked for an end.
  kUnreachable,   ///< A peer could not be reached, or the connection to it broke.
  kNotAllowed,    ///< The caller may not do this.
  kNotFound,      ///< No such job, node, model or file.
  kUnavailable,   ///< Not now; the same request may succeed later.
};

/// A failure with a one-line message for people. Immutable, safe to copy across threads.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// A kUnreachable whose host answered that nobody listens at the port: the process is gone, rather
/// than slow or behind a broken network.
class ConnectionRefused final : public Error {
 public:
  explicit ConnectionRefused(const std::string& message)
      : Error(ErrorCode::kUnreachable, message) {}
};

/// Shorthand for the most common error.
[[nodiscard]] inline Error invalid_input(const std::string& message) {
  return {ErrorCode::kInvalidInput, message};
}

}  // namespace gradmill
