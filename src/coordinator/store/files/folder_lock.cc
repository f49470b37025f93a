#include "coordinator/store/files/folder_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "coordinator/store/files/file_identity.h"

namespace gradmill::coordinator {
namespace {

std::string reason() { return std::generic_category().message(errno); }

Error refusal(const std::string& folder, const std::string& why) {
  return invalid_input("the state folder " + folder + " " + why);
}

void make_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) {
      return;
    }
    throw refusal(folder, "cannot be made: " + reason() + "; give --state-dir another one");
  }
  const int parent = ::open((folder + "/..").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool durable = parent >= 0 && ::fsync(parent) == 0;
  const std::string why = reason();
  if (parent >= 0) {
    ::close(parent);
  }
  if (!durable) {
    throw refusal(folder, "cannot be made to last: " + why + "; give --state-dir another one");
  }
}

void check_folder(const std::string& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    throw refusal(folder, "cannot be read: " + reason() + "; give --state-dir another one");
  }
  if (!S_ISDIR(status.st_mode)) {
    throw refusal(folder, "is not a folder; give --state-dir another one");
  }
  if (status.st_uid != ::geteuid()) {
    throw refusal(folder,
                  "belongs to user " + std::to_string(status.st_uid) +
                      "; run as that user, or give --state-dir another one");
  }
  if (::faccessat(AT_FDCWD, folder.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
    throw refusal(folder,
                  "cannot be written to: " + reason() +
                      "; make it writable, or give --state-dir another one");
  }
}

std::string first_line_of(int fd) {
  std::array<char, 256> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  const std::string all(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return all.substr(0, all.find('\n'));
}

void write_line(int fd, const std::string& line) {
  // What it says is for people; the lock holds without it.
  if (::ftruncate(fd, 0) == 0) {
    static_cast<void>(::pwrite(fd, line.data(), line.size(), 0) >= 0);
  }
}

}  // namespace

FolderLock::FolderLock(const std::string& folder, const std::string& holder)
    : file_(folder + "/lock") {
  make_folder(folder);
  check_folder(folder);
  fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) {
    throw refusal(folder,
                  "cannot be locked: " + reason() +
                      "; make room and the folder writable, or give --state-dir another one");
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const bool taken = errno == EWOULDBLOCK;
    const std::string why = reason();
    const std::string other = first_line_of(fd_);
    ::close(fd_);
    throw refusal(folder,
                  taken
                      ? "is in use by " + (other.empty() ? std::string("another process") : other) +
                            "; end that one, or give --state-dir another folder"
                      : "cannot be locked: " + why + "; give --state-dir another one");
  }
  write_line(fd_,
             "process " + std::to_string(::getpid()) +
                 (holder.empty() ? std::string() : " (" + holder + ")") + "\n");
}

FolderLock::~FolderLock() { ::close(fd_); }

bool FolderLock::is_in_place() const { return identity_of(file_) == identity_of(fd_); }

}  // namespace gradmill::coordinator
