#include "client/report/explanation_table.h"

#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/table.h"
#include "client/report/text.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;

ordered_json in_json(const JobExplanation& job) {
  ordered_json json = {{"job_id", job.job},
                       {"kind", job.predicts ? "prediction" : "training"},
                       {"state", name_of(job.state)},
                       {"scheduling", name_of(job.scheduling)},
                       {"waiting", job.waiting},
                       {"nodes", ordered_json::array()}};
  for (const NodeExplanation& node : job.nodes) {
    json["nodes"].push_back(
        {{"node", node.node},
         {"offers", node.offers},
         {"queued", node.queued},
         {"tasks", node.tasks},
         {"recent_share", node.recent_share ? ordered_json(*node.recent_share) : ordered_json()},
         {"reason", node.reason},
         {"message", node.message}});
  }
  return json;
}

std::string waiting_in_words(const JobExplanation& job) {
  if (job.waiting == 1) {
    return job.predicts ? "1 batch waits" : "1 task waits";
  }
  return std::to_string(job.waiting) + (job.predicts ? " batches wait" : " tasks wait");
}

}  // namespace

void write_explanation(std::ostream& to, const JobExplanation& job, Format format) {
  if (format == Format::kJson) {
    write_json(to, in_json(job));
    return;
  }
  to << "job " << job.job << ": " << name_of(job.state) << ", scheduling "
     << name_of(job.scheduling) << ", " << waiting_in_words(job) << '\n';
  Table table = {{"NODE"},
                 {"OFFERS", Table::Align::kRight},
                 {"QUEUED", Table::Align::kRight},
                 {"DONE", Table::Align::kRight},
                 {"TIME", Table::Align::kRight},
                 {"WHAT IT HAS, OR WHY NOTHING"}};
  for (const NodeExplanation& node : job.nodes) {
    table.add({node.node,
               std::to_string(node.offers),
               std::to_string(node.queued),
               std::to_string(node.tasks),
               node.recent_share ? printed("%.0f %%", 100 * *node.recent_share) : "",
               node.reason.empty() ? node.message : node.reason + ": " + node.message});
  }
  table.write(to);
}

}  // namespace gradmill::client
