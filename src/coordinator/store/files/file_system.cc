#include "coordinator/store/files/file_system.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <future>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace gradmill::coordinator {
namespace {

void require(bool done) {
  if (!done) {
    throw std::system_error(errno, std::generic_category());
  }
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) { require(fd >= 0); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }
  void close() { require(::close(std::exchange(fd_, -1)) == 0); }

 private:
  int fd_;
};

void write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0) {
      require(errno == EINTR);
      continue;
    }
    data.remove_prefix(static_cast<std::size_t>(written));
  }
}

constexpr std::size_t kSyncsAtOnce = 16;

void sync_one(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  require(::fsync(file.get()) == 0);
  file.close();
}

// In a thread of its own, or, if there is none to be had, in whoever asks for the result.
std::future<void> sync_beside(const std::string& path) {
  try {
    return std::async(std::launch::async, sync_one, path);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, sync_one, path);
  }
}

class RealFileSystem final : public FileSystem {
 public:
  void make_folder(const std::string& path) override {
    require(::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST);
  }

  void write(const std::string& path, std::span<const std::string_view> parts) override {
    remove(path);
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    for (const std::string_view part : parts) {
      write_all(file.get(), part);
    }
    file.close();
  }

  void sync(std::span<const std::string> paths) override {
    // The file system makes what is asked for at the same time durable in one go, as good as.
    std::vector<std::future<void>> others;
    for (std::size_t begin = 1; begin < paths.size(); begin += kSyncsAtOnce) {
      others.clear();
      const std::size_t end = std::min(begin + kSyncsAtOnce, paths.size());
      for (std::size_t i = begin; i < end; ++i) {
        others.push_back(sync_beside(paths[i]));
      }
      std::for_each(others.begin(), others.end(), [](auto& other) { other.get(); });
    }
    if (!paths.empty()) {
      sync_one(paths.front());
    }
  }

  void rename(const std::string& from, const std::string& to) override {
    require(::rename(from.c_str(), to.c_str()) == 0);
  }

  void remove(const std::string& path) override {
    require(std::remove(path.c_str()) == 0 || errno == ENOENT);
  }

  void transact(const std::function<void()>& transaction) override { transaction(); }
};

}  // namespace

FileSystem& real_file_system() {
  static RealFileSystem files;
  return files;
}

}  // namespace gradmill::coordinator
