#include "system/unprivileged.h"

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace gradmill::system_test {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;
constexpr std::chrono::seconds kEnd{20};

}  // namespace

Unprivileged::Unprivileged() : by_setpriv_(::geteuid() == 0) {
  fs::permissions(programs_.path(), fs::perms::owner_all | fs::perms::others_exec);
}

Ended Unprivileged::run(const std::string& program,
                        const std::vector<std::string>& arguments) const {
  std::vector<std::string> words;
  if (by_setpriv_) {
    words = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  }
  words.push_back(programs_.path(program));
  fs::copy_file(std::string(GRADMILL_BIN) + "/" + program,
                words.back(),
                fs::copy_options::overwrite_existing);
  words.insert(words.end(), arguments.begin(), arguments.end());
  Process process(words, "/");
  const int code = process.wait(kEnd);
  return {code, process.out(), process.err()};
}

void Unprivileged::own(const std::string& path) const {
  if (by_setpriv_ && ::chown(path.c_str(), kNobody, kNobody) != 0) {
    throw std::runtime_error("chown " + path);
  }
}

}  // namespace gradmill::system_test
