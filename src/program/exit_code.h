// How programs end, for scripts.
#pragma once

#include "base/error.h"

namespace gradmill::program {

/// Exit codes; scripts depend on them.
enum ExitCode : int {
  kSucceeded = 0,
  kJobFailed = 1,
  kUsage = 2,  ///< Usage or bad input, also a port in use.
  kCancelled = 3,
  kUnreachable = 4,  ///< The coordinator does not answer.
  kNotAllowed = 5,
  kNotFound = 6,
  kDetached = 130,  ///< The client left a job that goes on.
};

[[nodiscard]] constexpr ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidInput:
      return kUsage;
    case ErrorCode::kFailed:
      return kJobFailed;
    case ErrorCode::kCancelled:
      return kCancelled;
    case ErrorCode::kUnreachable:
    case ErrorCode::kUnavailable:
      return kUnreachable;
    case ErrorCode::kNotAllowed:
      return kNotAllowed;
    case ErrorCode::kNotFound:
      return kNotFound;
  }
  return kJobFailed;
}

}  // namespace gradmill::program
