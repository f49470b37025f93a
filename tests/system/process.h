// Processes of a test: started, listened to, and always ended.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gradmill::system_test {

/// A child process whose output is read as it comes. Killed when it goes out of scope.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command, const std::string& folder = ".");
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  /// Waits until stderr holds `text`; whether it came in time.
  [[nodiscard]] bool says(const std::string& text, std::chrono::seconds timeout);
  void signal(int number) const;
  /// The exit code (128 + n for signal n), or -1 if it does not end in time.
  [[nodiscard]] int wait(std::chrono::milliseconds timeout);
  [[nodiscard]] std::string out();
  [[nodiscard]] std::string err();
  [[nodiscard]] int pid() const { return pid_; }

 private:
  void read(int fd, std::string& to);

  int pid_ = -1;
  int status_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string out_;
  std::string err_;
  int open_ = 2;
  std::vector<std::thread> readers_;
};

/// What a program that ended left behind.
struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

/// Runs one of our programs (by name) to its end.
[[nodiscard]] Ended run(const std::string& program,
                        const std::vector<std::string>& arguments,
                        std::chrono::seconds timeout = std::chrono::seconds(60),
                        const std::string& folder = ".");

/// The command of one of our programs.
[[nodiscard]] std::vector<std::string> command(const std::string& program,
                                               const std::vector<std::string>& arguments);

}  // namespace gradmill::system_test
