#include "client/commands/job_logs.h"

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "client/commands/job_reference.h"
#include "client/report/json_output.h"
#include "client/report/table.h"
#include "client/report/text.h"
#include "program/exit_code.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::milliseconds kFollowWait{1000};

std::string line_of(const JobEvent& event) {
  std::string line =
      local_time_text(event.time_ms) + (event.warning ? " warning " : " info ") + event.event;
  const auto add = [&](const char* name, const std::string& value) {
    line += ' ';
    line += name;
    line += ' ' + value;
  };
  if (event.round) {
    add("round", std::to_string(*event.round));
  }
  if (event.shard) {
    add("shard", std::to_string(*event.shard + 1));
  }
  if (event.attempt) {
    add("attempt", std::to_string(*event.attempt));
  }
  if (!event.node.empty()) {
    add("node", event.node);
  }
  if (!event.reason.empty()) {
    add("reason", event.reason);
  }
  return shown(line + (event.message.empty() ? "" : ": " + event.message));
}

/// Members that do not apply are absent.
ordered_json in_json(const JobEvent& event) {
  ordered_json json;
  json["sequence"] = event.sequence;
  json["time"] = utc_time_text(event.time_ms);
  json["level"] = event.warning ? "warning" : "info";
  json["event"] = event.event;
  if (event.round) {
    json["round"] = *event.round;
  }
  if (event.shard) {
    json["shard"] = *event.shard + 1;
  }
  if (event.attempt) {
    json["attempt"] = *event.attempt;
  }
  for (const auto& [name, text] :
       {std::pair("node", &event.node), {"reason", &event.reason}, {"message", &event.message}}) {
    if (!text->empty()) {
      json[name] = *text;
    }
  }
  return json;
}

/// Writes events as they come, but a whole array at its end.
class LogWriter {
 public:
  LogWriter(std::ostream& to, const JobLogsRequest& request) : to_(to), request_(request) {}

  void write(const JobEvent& event) {
    if (request_.format == Format::kText) {
      to_ << line_of(event) << '\n';
    } else if (request_.follow) {
      write_json_line(to_, in_json(event));
    } else {
      array_.push_back(in_json(event));
    }
  }

  void finish() {
    if (request_.format == Format::kJson && !request_.follow) {
      write_json(to_, array_);
    }
    to_ << std::flush;
  }

 private:
  std::ostream& to_;
  const JobLogsRequest& request_;
  ordered_json array_ = ordered_json::array();
};

}  // namespace

int run(const JobLogsRequest& request, CoordinatorLink& link, Console console) {
  const std::string id = job_called(request.job, link);
  const std::chrono::milliseconds wait = request.follow ? kFollowWait : kFollowWait * 0;
  LogWriter writer(console.out, request);
  std::uint64_t last = 0;
  for (bool more = true; more;) {
    if (console.interrupted) {
      return program::kDetached;
    }
    const JobLog log = link.logs(id, last, wait);
    for (const JobEvent& event : log.events) {
      writer.write(event);
      last = event.sequence;
    }
    console.out << std::flush;
    more = !log.ended && (request.follow || !log.events.empty());
  }
  writer.finish();
  return program::kSucceeded;
}

}  // namespace gradmill::client
