#include "client/report/profile_plot.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>

#include "base/error.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

constexpr std::size_t kBarsMax = 100;
constexpr std::size_t kNodesMax = 8;  // Of more, one panel has the mean.
constexpr std::size_t kPanelHeight = 170;
constexpr int kNoSuchCommand = 127;  // What a shell says.

/// Rounds that go into one bar.
struct Bar {
  std::size_t first;
  std::size_t end;
};

std::size_t rounds_a_bar(const JobProfile& profile) {
  return std::max<std::size_t>(1, (profile.rounds.size() + kBarsMax - 1) / kBarsMax);
}

std::vector<Bar> bars_of(const JobProfile& profile) {
  const std::size_t rounds = profile.rounds.size();
  const std::size_t each = rounds_a_bar(profile);
  std::vector<Bar> bars;
  for (std::size_t n = 0; n < rounds; n += each) {
    bars.push_back({n, std::min(n + each, rounds)});
  }
  return bars;
}

/// Lines of data, one a bar: its first round, and milliseconds of each of the parts that
/// `add(round, sums)` adds up, as the mean of its rounds.
template <std::size_t Parts, class Add>
std::string lines(const JobProfile& profile, const Add& add) {
  std::string text;
  for (const Bar& bar : bars_of(profile)) {
    std::array<double, Parts> sums{};
    for (std::size_t n = bar.first; n < bar.end; ++n) {
      add(profile.rounds[n], sums);
    }
    text += std::to_string(profile.rounds[bar.first].round);
    for (const double sum : sums) {
      text += printed(" %.6f", 1000 * sum / static_cast<double>(bar.end - bar.first));
    }
    text += '\n';
  }
  return text;
}

/// The nodes from `first` to `end`, on average.
std::string lines_of_nodes(const JobProfile& profile, std::size_t first, std::size_t end) {
  return lines<3>(profile, [&](const RoundProfile& round, std::array<double, 3>& sums) {
    for (std::size_t n = first; n < end; ++n) {
      const auto nodes = static_cast<double>(end - first);
      sums[0] += round.nodes[n].compute / nodes;
      sums[1] += round.nodes[n].transfer / nodes;
      sums[2] += round.nodes[n].wait / nodes;
    }
  });
}

struct Panel {
  std::string title;
  std::string lines;
  std::vector<std::string> parts;  ///< What the columns are called, with their colours.
};

const std::vector<std::string>& node_parts() {
  static const std::vector<std::string> parts = {
      "'computing' lc rgb '#2a7f62'", "'transfer' lc rgb '#d98e04'", "'waiting' lc rgb '#c8c8c8'"};
  return parts;
}

std::vector<Panel> panels_of(const JobProfile& profile) {
  std::vector<Panel> panels;
  const std::size_t nodes = profile.nodes.size();
  if (nodes > kNodesMax) {
    panels.push_back({"mean of " + std::to_string(nodes) + " nodes",
                      lines_of_nodes(profile, 0, nodes),
                      node_parts()});
  } else {
    for (std::size_t n = 0; n < nodes; ++n) {
      panels.push_back(
          {"node " + profile.nodes[n].node, lines_of_nodes(profile, n, n + 1), node_parts()});
    }
  }
  panels.push_back({"coordinator (validates beside later rounds)",
                    lines<2>(profile,
                             [](const RoundProfile& round, std::array<double, 2>& sums) {
                               sums[0] += round.aggregate;
                               sums[1] += round.validate;
                             }),
                    {"'averaging' lc rgb '#7a4ea3'", "'validating' lc rgb '#4a7fb5'"}});
  return panels;
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
  const std::vector<Panel> panels = panels_of(profile);
  const std::size_t bars = bars_of(profile).size();
  const std::size_t each = rounds_a_bar(profile);
  std::string script = "set terminal svg size 960," +
                       std::to_string(90 + kPanelHeight * panels.size()) +
                       " dynamic background 'white'\n";
  for (std::size_t n = 0; n < panels.size(); ++n) {
    script += "$panel" + std::to_string(n) + " << EOD\n" + panels[n].lines + "EOD\n";
  }
  script +=
      "set style data histograms\n"
      "set style histogram rowstacked\n"
      "set style fill solid 0.9 noborder\n"
      "set boxwidth 0.9\n"
      "set yrange [0:*]\n"
      "set ylabel 'ms a round'\n"
      "set lmargin 11\n"
      "set rmargin 18\n"
      "set xtics nomirror scale 0\n"
      "set ytics nomirror\n"
      "set key outside right top reverse Left\n"
      "set multiplot layout " +
      std::to_string(panels.size()) + ",1 title " + quoted(title) + " noenhanced\n";
  for (std::size_t n = 0; n < panels.size(); ++n) {
    const Panel& panel = panels[n];
    script += "set title " + quoted(panel.title) + " noenhanced\n";
    if (n + 1 == panels.size()) {
      script += each == 1 ? "set xlabel 'round'\n"
                          : "set xlabel 'round (a bar is the mean of up to " +
                                std::to_string(each) + ")'\n";
    }
    for (std::size_t part = 0; part < panel.parts.size(); ++part) {
      script += part == 0
                    ? "plot $panel" + std::to_string(n) + " using 2:xtic(int($0) % " +
                          std::to_string(bars / 10 + 1) + " == 0 ? stringcolumn(1) : '') title "
                    : ", '' using " + std::to_string(part + 2) + " title ";
      script += panel.parts[part];
    }
    script += '\n';
  }
  return script + "unset multiplot\n";
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
