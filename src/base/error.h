// Errors that people or peers see.
#pragma once

#include <memory>
#include <new>
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

/// A failure with a one-line message for people. Servers send it to peers, so it names nothing of
/// this machine that is none of theirs. Immutable, safe to copy across threads.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  /// With a message of its own for the log of this process, which may have paths in it.
  Error(ErrorCode code, const std::string& message, const std::string& log_message)
      : std::runtime_error(message),
        code_(code),
        log_message_(std::make_shared<const std::string>(log_message)) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] std::string log_message() const {
    return log_message_ == nullptr ? what() : *log_message_;
  }

 private:
  ErrorCode code_;
  std::shared_ptr<const std::string> log_message_;
};

/// Only in a catch block: what a peer may know of the current exception, which is the message of an
/// Error and next to nothing of any other.
[[nodiscard]] inline std::string message_for_peers() {
  try {
    throw;
  } catch (const Error& error) {
    return error.what();
  } catch (const std::bad_alloc&) {
    return "out of memory";
  } catch (...) {
    return "internal error";
  }
}

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
