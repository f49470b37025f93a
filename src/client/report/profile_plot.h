// The profile of a job as a plot.
#pragma once

#include <string>

#include "client/report/profile.h"

namespace gradmill::client {

/// Commands for gnuplot that draw, as SVG on its output, what a round took on average of all nodes:
/// computing, transfer, waiting, averaging. Neighbouring rounds share a bar where there are many.
[[nodiscard]] std::string plot_script(const JobProfile& profile, const std::string& title);

/// What gnuplot writes when it is given `script`. Throws Error(kFailed) if it is not installed, or
/// does not do it.
[[nodiscard]] std::string run_gnuplot(const std::string& script);

}  // namespace gradmill::client
