// That conversions name each field that is wrong.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace gradmill::wire {

/// What is wrong, as the message names it, and how it comes to be.
template <class Message>
using Wrongs = std::vector<std::pair<std::string, std::function<void(Message&)>>>;

/// Expects `convert` to refuse `sound` with each of these changes, and not without.
template <class Message, class Convert>
void expect_refusals(const Message& sound, const Wrongs<Message>& wrongs, const Convert& convert) {
  EXPECT_NO_THROW(static_cast<void>(convert(sound)));
  for (const auto& [field, change] : wrongs) {
    Message message = sound;
    change(message);
    try {
      static_cast<void>(convert(message));
      ADD_FAILURE() << field << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_NE(std::string(error.what()).find(field), std::string::npos)
          << error.what() << "; wanted: " << field;
    }
  }
}

}  // namespace gradmill::wire
