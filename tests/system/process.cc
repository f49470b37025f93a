#include "system/process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include <sys/prctl.h>
#include <sys/wait.h>

namespace gradmill::system_test {

Process::Process(const std::vector<std::string>& command, const std::string& folder) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe");
  }
  std::vector<char*> words;
  for (const std::string& word : command) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int input = ::open("/dev/null", O_RDONLY);
    ::dup2(input, 0);
    ::dup2(out[1], 1);
    ::dup2(err[1], 2);
    if (::chdir(folder.c_str()) == 0) {
      ::execv(words[0], words.data());
    }
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  readers_.emplace_back([this, fd = out[0]] { read(fd, out_); });
  readers_.emplace_back([this, fd = err[0]] { read(fd, err_); });
}

Process::~Process() {
  if (status_ < 0) {
    ::kill(pid_, SIGKILL);
    ::kill(pid_, SIGCONT);
    ::waitpid(pid_, nullptr, 0);
  }
  for (std::thread& reader : readers_) {
    reader.join();
  }
}

void Process::read(int fd, std::string& to) {
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = ::read(fd, buffer.data(), buffer.size())) > 0) {
    const std::lock_guard lock(mutex_);
    to.append(buffer.data(), static_cast<std::size_t>(got));
    changed_.notify_all();
  }
  ::close(fd);
  const std::lock_guard lock(mutex_);
  --open_;
  changed_.notify_all();
}

bool Process::says(const std::string& text, std::chrono::seconds timeout) {
  std::unique_lock lock(mutex_);
  const auto there = [&] { return err_.find(text) != std::string::npos; };
  changed_.wait_for(lock, timeout, [&] { return there() || open_ == 0; });
  return there();
}

void Process::signal(int number) const { ::kill(pid_, number); }

int Process::wait(std::chrono::milliseconds timeout) {
  if (status_ >= 0) {
    return status_;
  }
  {
    // Both pipes close when the process ends.
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, timeout, [&] { return open_ == 0; })) {
      return -1;
    }
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

std::string Process::out() {
  const std::lock_guard lock(mutex_);
  return out_;
}

std::string Process::err() {
  const std::lock_guard lock(mutex_);
  return err_;
}

std::vector<std::string> command(const std::string& program,
                                 const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {std::string(GRADMILL_BIN) + "/" + program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

Ended run(const std::string& program,
          const std::vector<std::string>& arguments,
          std::chrono::seconds timeout,
          const std::string& folder) {
  Process process(command(program, arguments), folder);
  const int code = process.wait(timeout);
  return {code, process.out(), process.err()};
}

}  // namespace gradmill::system_test
