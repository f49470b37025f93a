#include "client/report/profile_plot.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include <sys/mman.h>
#include <sys/wait.h>

#include "base/error.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

constexpr std::size_t kBarsMax = 100;
constexpr int kNoSuchCommand = 127;  // What a shell says.

/// A line of data: rounds, and milliseconds of each part.
std::string bar(const JobProfile& profile, std::size_t first, std::size_t end) {
  double compute = 0;
  double transfer = 0;
  double wait = 0;
  double aggregate = 0;
  for (std::size_t n = first; n < end; ++n) {
    const RoundProfile& round = profile.rounds[n];
    for (const NodeProfile& node : round.nodes) {
      compute += node.compute;
      transfer += node.transfer;
      wait += node.wait;
    }
    aggregate += round.aggregate;
  }
  const double rounds = static_cast<double>(end - first) / 1000;
  const double nodes = rounds * static_cast<double>(profile.nodes.size());
  return printed("%u %.6f %.6f %.6f %.6f\n",
                 profile.rounds[first].round,
                 compute / nodes,
                 transfer / nodes,
                 wait / nodes,
                 aggregate / rounds);
}

/// In gnuplot's single quotes, where only these have a meaning.
std::string quoted(const std::string& text) {
  std::string all = "'";
  for (const char c : text) {
    all += c == '\'' ? std::string("''") : std::string(1, c);
  }
  return all + '\'';
}

class ScriptFile {
 public:
  explicit ScriptFile(const std::string& script) : fd_(::memfd_create("plot", 0)) {
    if (fd_ < 0 ||
        ::write(fd_, script.data(), script.size()) != static_cast<ssize_t>(script.size())) {
      throw Error(ErrorCode::kFailed, "gnuplot cannot be given its script");
    }
  }
  ScriptFile(const ScriptFile&) = delete;
  ScriptFile& operator=(const ScriptFile&) = delete;
  ~ScriptFile() { ::close(fd_); }
  /// For a process that inherits it.
  [[nodiscard]] std::string path() const { return "/dev/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace

std::string plot_script(const JobProfile& profile, const std::string& title) {
  const std::size_t rounds = profile.rounds.size();
  const std::size_t each = std::max<std::size_t>(1, (rounds + kBarsMax - 1) / kBarsMax);
  std::string data;
  for (std::size_t n = 0; n < rounds; n += each) {
    data += bar(profile, n, std::min(n + each, rounds));
  }
  const std::size_t bars = (rounds + each - 1) / each;
  return "set terminal svg size 960,480 dynamic background 'white'\n"
         "set title " +
         quoted(title) +
         " noenhanced\n"
         "set xlabel 'round'\n"
         "set ylabel 'milliseconds of a round, mean of its nodes'\n"
         "set key outside right top reverse Left\n"
         "set style data histograms\n"
         "set style histogram rowstacked\n"
         "set style fill solid 0.9 noborder\n"
         "set boxwidth 0.9\n"
         "set yrange [0:*]\n"
         "$data << EOD\n" +
         data +
         "EOD\n"
         "plot $data using 2:xtic(int($0) % " +
         std::to_string(bars / 10 + 1) +
         " == 0 ? stringcolumn(1) : '') title 'computing' lc rgb '#2a7f62', "
         "'' using 3 title 'transfer' lc rgb '#d98e04', "
         "'' using 4 title 'waiting' lc rgb '#c8c8c8', "
         "'' using 5 title 'averaging' lc rgb '#7a4ea3'\n";
}

std::string run_gnuplot(const std::string& script) {
  const ScriptFile file(script);
  const std::string command = "exec gnuplot " + file.path() + " 2>/dev/null";
  // Nothing of the user's is in the command.  NOLINTNEXTLINE(cert-env33-c)
  std::FILE* const output = ::popen(command.c_str(), "r");
  if (output == nullptr) {
    throw Error(ErrorCode::kFailed, "gnuplot cannot be started");
  }
  std::string text;
  std::array<char, 4096> piece{};
  for (std::size_t length = 0; (length = std::fread(piece.data(), 1, piece.size(), output)) > 0;) {
    text.append(piece.data(), length);
  }
  const int status = ::pclose(output);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoSuchCommand) {
    throw Error(ErrorCode::kFailed,
                "gnuplot is not installed; plots are drawn by it (Debian: gnuplot-nox)");
  }
  if (status != 0 || text.empty()) {
    throw Error(ErrorCode::kFailed, "gnuplot could not draw the plot");
  }
  return text;
}

}  // namespace gradmill::client
