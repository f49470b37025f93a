// Where output goes.
#pragma once

#include <atomic>
#include <iosfwd>

namespace gradmill::client {

/// Where output goes, and whether the user has had enough.
struct Console {
  std::ostream& out;                     ///< Results.
  std::ostream& err;                     ///< Progress, hints.
  unsigned columns = 0;                  ///< Width of the terminal behind `err`; 0: none.
  const std::atomic<bool>& interrupted;  ///< Ctrl-C: leave the job and end.
};

}  // namespace gradmill::client
