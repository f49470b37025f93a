// Programs as a user whom permissions stop, also where the tests run as root.
#pragma once

#include <string>
#include <vector>

#include "system/cluster.h"

namespace gradmill::system_test {

/// Runs our programs as the user nobody, or, where the tests do not run as root, as they run.
class Unprivileged {
 public:
  Unprivileged();
  /// Runs one of our programs to its end, in the folder /.
  [[nodiscard]] Ended run(const std::string& program,
                          const std::vector<std::string>& arguments) const;
  /// Makes a file or folder its own.
  void own(const std::string& path) const;

 private:
  Folder programs_;  // Copies: nobody may not look into every build folder.
  bool by_setpriv_;
};

}  // namespace gradmill::system_test
