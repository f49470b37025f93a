#include "client/commands/completion.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace gradmill::client {
namespace {

using Values = std::vector<std::string>;

constexpr std::uint32_t kJobs = 50;

Values jobs(const program::Completion& /*asked*/, CoordinatorLink& link) {
  Values ids;
  for (const JobSummary& job : link.jobs(kJobs)) {
    ids.push_back(job.job);
  }
  return ids;
}

Values models(const program::Completion& asked, CoordinatorLink& link) {
  Values names;
  const std::size_t at = asked.beginning.find('@');
  if (at == std::string::npos) {
    for (const ModelSummary& model : link.models("")) {
      names.push_back(model.model);
    }
    return names;
  }
  const std::string model_at = asked.beginning.substr(0, at + 1);
  for (const ModelSummary& version : link.models(asked.beginning.substr(0, at))) {
    names.push_back(model_at + std::to_string(version.version));
    for (const std::string& alias : version.aliases) {
      names.push_back(model_at + alias);
    }
  }
  return names;
}

Values aliases(const program::Completion& asked, CoordinatorLink& link) {
  Values names;
  if (asked.arguments.has("<model>")) {
    const std::string& model = asked.arguments.text("<model>");
    for (const ModelAlias& alias : link.model(model.substr(0, model.find('@'))).aliases) {
      names.push_back(alias.alias);
    }
  }
  return names;
}

Values nodes(const program::Completion& /*asked*/, CoordinatorLink& link) {
  Values addresses;
  for (const NodeStatus& node : link.nodes()) {
    addresses.push_back(node.address.text());
  }
  return addresses;
}

using Source = Values (*)(const program::Completion&, CoordinatorLink&);

constexpr std::array<std::pair<std::string_view, Source>, 5> kSources = {{
    {"<id>", jobs},
    {"<model>", models},
    {"--model", models},
    {"--alias", aliases},
    {"<node>", nodes},
}};

Source source_of(const program::Completion& asked) {
  for (const auto& [wanted, source] : kSources) {
    if (wanted == asked.wanted) {
      return source;
    }
  }
  return nullptr;
}

}  // namespace

bool is_known_to_coordinator(const program::Completion& asked) {
  return source_of(asked) != nullptr && asked.arguments.has("--coordinator");
}

std::vector<std::string> known_values(const program::Completion& asked, CoordinatorLink& link) {
  const Source source = source_of(asked);
  return source == nullptr ? Values() : source(asked, link);
}

}  // namespace gradmill::client
