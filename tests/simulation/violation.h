// How a history fails.
#pragma once

#include <stdexcept>
#include <string>

namespace gradmill::simulation {

/// An invariant does not hold; ends the history.
struct Violation : std::runtime_error {
  Violation(const std::string& invariant, const std::string& what)
      : std::runtime_error("invariant " + invariant + " violated: " + what) {}
};

}  // namespace gradmill::simulation
