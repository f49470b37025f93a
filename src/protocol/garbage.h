// The retention rule and what it removed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace gradmill {

/// Which ended jobs stay: the newest `jobs` of them, and those younger than `age`.
struct Retention {
  std::uint32_t jobs = 200;
  std::chrono::milliseconds age{0};
};

/// What was removed, or would be.
struct Garbage {
  std::vector<std::string> jobs;   ///< Oldest first.
  std::vector<std::string> files;  ///< By their names in the state folder.
  std::uint64_t bytes = 0;         ///< Of all these files.
};

}  // namespace gradmill
