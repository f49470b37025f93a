// The message of an error that a test expects.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::formats {

/// The message of the Error(kInvalidInput) that `function` throws; a failure if it throws none.
template <typename Function>
[[nodiscard]] std::string error_of(Function function) {
  try {
    static_cast<void>(function());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace gradmill::formats
