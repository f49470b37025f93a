#include "client/commands/prediction_fetching.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <ostream>
#include <sstream>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/durable_file.h"
#include "base/error.h"
#include "client/commands/job_following.h"
#include "client/report/json_output.h"
#include "client/report/output_file.h"
#include "client/report/prediction_output.h"
#include "client/report/prediction_report.h"
#include "client/report/text.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::milliseconds kWait{1000};

struct Fetched {
  std::uint64_t rows = 0;
  std::optional<double> accuracy;  // Where rows have labels.
};

std::optional<double> accuracy_now(const JobDetails& job, CoordinatorLink& link) {
  if (!job.specification.prediction->labelled) {
    return std::nullopt;
  }
  return accuracy_of(link.job(job.status.job).status.prediction.value_or(PredictionStatus{}));
}

/// Writes all predictions of the job; nothing once the user interrupts.
std::optional<Fetched> fetch(const JobDetails& job,
                             Format format,
                             CoordinatorLink& link,
                             std::ostream& to,
                             const std::atomic<bool>& interrupted) {
  const ServedModel& model = job.specification.prediction->model;
  PredictionOutput output(to, model, format);
  std::uint64_t row = 0;
  for (bool ended = false; !ended;) {
    if (interrupted) {
      return std::nullopt;
    }
    const JobPredictions news = link.predictions(job.status.job, row, kPredictionRowsMax, kWait);
    check_predictions(news.predictions, news.rows, static_cast<std::uint32_t>(model.labels.size()));
    output.write(news.predictions, news.rows);
    if (!to) {
      throw Error(ErrorCode::kFailed,
                  "the predictions cannot be written: nobody reads them, or the disk is full");
    }
    row += news.rows;
    ended = news.ended;
  }
  const std::optional<double> accuracy = accuracy_now(job, link);
  output.end(accuracy);
  return Fetched{row, accuracy};
}

void show_saved(const JobOutputRequest& request,
                const JobDetails& job,
                const Fetched& fetched,
                const Console& console) {
  const std::string accuracy =
      fetched.accuracy ? printed(", accuracy %.6f", *fetched.accuracy) : "";
  if (request.format == Format::kJson) {
    const ServedModel& model = job.specification.prediction->model;
    write_json(console.out,
               {{"job_id", job.status.job},
                {"kind", "prediction"},
                {"output", request.output},
                {"rows", fetched.rows},
                {"accuracy", fetched.accuracy ? ordered_json(*fetched.accuracy) : ordered_json()},
                {"model", model.model},
                {"version", model.version}});
  } else {
    console.out << fetched.rows << " predictions are in " << request.output << accuracy << '\n'
                << std::flush;
  }
}

/// Of a job that ended without all of its predictions. Returns the exit code.
int show_incomplete(const std::string& id,
                    std::uint64_t rows,
                    const std::string& output,
                    CoordinatorLink& link,
                    const Console& console) {
  const JobStatus status = link.job(id).status;
  console.err << "client: job " << id << ' ' << name_of(status.state) << " after " << rows << " of "
              << status.prediction.value_or(PredictionStatus{}).rows << " rows"
              << (output.empty() ? "" : "; " + output + " is not written")
              << (status.message.empty() ? "" : ": " + status.message) << '\n'
              << std::flush;
  // A job that lacks rows is no success, whatever it says.
  return status.state == JobState::kSucceeded ? program::kJobFailed : exit_code_of(status.state);
}

}  // namespace

void check_prediction_output(const std::string& path) {
  for (const std::string_view ending : {".safetensors", ".npz", ".onnx"}) {
    if (path.ends_with(ending)) {
      throw invalid_input("--output: '" + path + "' is named as a model; a prediction job has " +
                          "predictions, as text or with --format json");
    }
  }
  check_writable("--output", path);
}

int write_predictions(const JobOutputRequest& request,
                      const JobDetails& job,
                      CoordinatorLink& link,
                      const Console& console) {
  const std::string& id = job.status.job;
  const std::uint64_t all = job.status.prediction.value_or(PredictionStatus{}).rows;
  check_prediction_output(request.output);
  std::ostringstream file;
  const std::optional<Fetched> fetched = fetch(
      job, request.format, link, request.output.empty() ? console.out : file, console.interrupted);
  if (!fetched) {
    return program::kDetached;
  }
  if (fetched->rows != all) {
    return show_incomplete(id, fetched->rows, request.output, link, console);
  }
  if (!request.output.empty()) {
    const std::array<std::string_view, 1> parts = {file.view()};
    write_file_durably(request.output, parts);
    show_saved(request, job, *fetched, console);
  } else if (fetched->accuracy) {
    console.err << printed("accuracy %.6f\n", *fetched->accuracy) << std::flush;
  }
  return program::kSucceeded;
}

}  // namespace gradmill::client
