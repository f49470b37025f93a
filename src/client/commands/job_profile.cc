#include "client/commands/job_profile.h"

#include <iterator>
#include <string_view>
#include <vector>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/commands/job_reference.h"
#include "client/report/output_file.h"
#include "client/report/profile.h"
#include "client/report/profile_plot.h"
#include "client/report/profile_table.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

/// Of all rounds so far, with their tasks.
std::vector<RoundReport> reports_of(CoordinatorLink& link, const std::string& job) {
  std::vector<RoundReport> rounds;
  while (true) {
    JobQuery query;  // Without a version, so that it is answered at once.
    query.job = job;
    query.rounds_known = static_cast<std::uint32_t>(rounds.size());
    query.with_tasks = true;
    std::vector<RoundReport> news = link.follow(query, std::chrono::milliseconds(0)).finished;
    if (news.empty()) {
      return rounds;
    }
    std::move(news.begin(), news.end(), std::back_inserter(rounds));
  }
}

}  // namespace

int show_profile(const ShowJobRequest& request, CoordinatorLink& link, const Console& console) {
  check_writable("--plot", request.plot);
  const std::string id = job_called(request.job, link);
  const JobDetails job = link.job(id);
  if (job.specification.prediction) {
    throw invalid_input("job " + id + " predicts; only training jobs have a profile");
  }
  const JobProfile profile = profile_of(job, reports_of(link, id));
  if (!request.plot.empty()) {
    if (profile.rounds.empty()) {
      throw invalid_input("--plot: no round of job " + id + " is finished yet");
    }
    const std::string svg = run_gnuplot(plot_script(profile, "job " + id));
    const std::string_view all = svg;
    write_file_durably(request.plot, {&all, 1});
    console.err << "client: the plot is in " << request.plot << '\n' << std::flush;
  }
  write_profile(console.out, job, profile, request.format);
  return program::kSucceeded;
}

}  // namespace gradmill::client
