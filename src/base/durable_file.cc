#include "base/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "base/error.h"

namespace gradmill {
namespace {

std::string reason() { return std::generic_category().message(errno); }

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { static_cast<void>(close()); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return false;
    }
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// What a symbolic link stands for; else the name itself.
std::string target_of(const std::string& name) {
  std::error_code failure;
  const std::filesystem::path target = std::filesystem::canonical(name, failure);
  return failure ? name : target.string();
}

}  // namespace

void write_file_durably(const std::string& name, std::span<const std::string_view> parts) {
  const std::string path = target_of(name);
  std::string temporary = path + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) {
    throw invalid_input(path + ": cannot be written: " + reason());
  }
  const auto give_up = [&] {
    const std::string why = reason();
    static_cast<void>(::unlink(temporary.c_str()));
    throw invalid_input(path + ": cannot be written: " + why);
  };
  for (const std::string_view part : parts) {
    if (!write_all(file.get(), part)) {
      give_up();
    }
  }
  if (::fchmod(file.get(), 0644) != 0 || ::fsync(file.get()) != 0 || !file.close() ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    give_up();
  }
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) {
    throw invalid_input(path + ": its folder cannot be synced: " + reason());
  }
}

std::string read_file(const std::string& path, std::size_t bytes_max) {
  return read_file(path, bytes_max, [](const struct stat&) {});
}

std::string read_file(const std::string& path,
                      std::size_t bytes_max,
                      const std::function<void(const struct stat&)>& check) {
  // O_NONBLOCK, so that a FIFO without a writer is refused rather than waited for.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    throw invalid_input(path + ": cannot be read: " + reason());
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw invalid_input(path + ": is not a regular file");
  }
  check(status);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > bytes_max) {
    throw invalid_input(path + ": has " + std::to_string(size) + " bytes; at most " +
                        std::to_string(bytes_max) + " are read");
  }
  std::string content(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::read(file.get(), content.data() + filled, size - filled);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      throw invalid_input(path + ": cannot be read: " + reason());
    }
    if (got == 0) {
      break;
    }
    filled += static_cast<std::size_t>(got);
  }
  content.resize(filled);
  return content;
}

}  // namespace gradmill
