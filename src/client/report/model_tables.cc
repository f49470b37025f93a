#include "client/report/model_tables.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <ostream>
#include <utility>

#include <nlohmann/json.hpp>

#include "client/report/json_output.h"
#include "client/report/table.h"
#include "client/report/text.h"
#include "protocol/model_metadata.h"
#include "protocol/model_name.h"
#include "protocol/rule_names.h"

namespace gradmill::client {
namespace {

using nlohmann::ordered_json;
using Properties = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kErrorsShown = 10;
constexpr std::size_t kConfusionsShown = 10;

ordered_json in_json(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

/// Null for what nobody knows.
ordered_json in_json(const Digest& digest) {
  return digest == Digest{} ? ordered_json() : ordered_json(digest.hex());
}

ordered_json in_json(const AliasMove& move) {
  const auto version = [](std::uint32_t number) {
    return number > 0 ? ordered_json(number) : ordered_json();
  };
  return {{"time", utc_time_text(move.time_ms)},
          {"alias", move.alias},
          {"from", version(move.from)},
          {"to", version(move.to)},
          {"change", name_of(move.change)}};
}

/// The whole matrix: a row a class, a column a prediction.
ordered_json in_json(const Confusion& confusion) {
  constexpr std::uint32_t kDenseMax = 1024;
  ordered_json json = {{"classes", confusion.classes}};
  if (confusion.classes > kDenseMax) {
    for (const ConfusionCount& count : confusion.counts) {
      json["counts"].push_back({count.label, count.predicted, count.rows});
    }
    return json;
  }
  std::vector<std::vector<std::uint64_t>> matrix(confusion.classes,
                                                 std::vector<std::uint64_t>(confusion.classes));
  for (const ConfusionCount& count : confusion.counts) {
    matrix[count.label][count.predicted] = count.rows;
  }
  json["matrix"] = matrix;
  return json;
}

ordered_json in_json(const ModelSummary& model) {
  return {{"model", model.model},
          {"version", model.version},
          {"aliases", model.aliases},
          {"versions", model.versions},
          {"validation_error", in_json(model.validation_error)},
          {"topology", model.topology},
          {"optimizer", model.optimizer},
          {"job_id", model.job},
          {"created", utc_time_text(model.created_ms)}};
}

std::vector<std::string> aliases_of(const ModelDetails& model) {
  std::vector<std::string> names;
  for (const ModelAlias& alias : model.aliases) {
    if (alias.version == model.version.version) {
      names.push_back(alias.alias);
    }
  }
  return names;
}

ordered_json in_json(const ModelDetails& model) {
  const ModelVersion& version = model.version;
  const ModelLineage& lineage = version.lineage;
  ordered_json json = {{"model", version.model},
                       {"version", version.version},
                       {"aliases", aliases_of(model)},
                       {"created", utc_time_text(version.created_ms)},
                       {"validation_error", in_json(lineage.validation_error)},
                       {"topology", version.topology.units},
                       {"activation", name_of(version.activation)},
                       {"precision", name_of(version.precision)},
                       {"standardized", version.standardized},
                       {"labels", version.labels},
                       {"file_sha256", version.file.digest.hex()},
                       {"file_bytes", version.file.bytes},
                       {"parameters_sha256", version.parameters.hex()},
                       {"job_id", lineage.job},
                       {"job_digest", in_json(lineage.job_digest)},
                       {"data_sha256", in_json(lineage.data_digest)},
                       {"round", lineage.round},
                       {"seed", lineage.seed}};
  json["rule"] = ordered_json::object();
  for (const auto& [name, value] : lineage.rule) {
    json["rule"][name] = value;
  }
  json["errors"] = ordered_json::array();
  for (const RoundError& error : lineage.errors) {
    json["errors"].push_back({{"round", error.round}, {"validation_error", error.error}});
  }
  json["confusion"] = lineage.confusion ? in_json(*lineage.confusion) : ordered_json();
  json["history"] = ordered_json::array();
  for (const AliasMove& move : model.history) {
    json["history"].push_back(in_json(move));
  }
  return json;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    all += (all.empty() ? "" : ", ") + text;
  }
  return all;
}

std::string error_text(const std::optional<double>& error) {
  return error ? printed("%.6f", *error) : "";
}

Properties properties_of(const ModelDetails& model) {
  const ModelVersion& version = model.version;
  const ModelLineage& lineage = version.lineage;
  Properties all = {{"model", version_reference(version.model, version.version)},
                    {"aliases", joined(aliases_of(model))},
                    {"created", local_time_text(version.created_ms)},
                    {"validation error", error_text(lineage.validation_error)},
                    {"topology", topology_text(version.topology)},
                    {"activation", std::string(name_of(version.activation))},
                    {"precision", std::string(name_of(version.precision))},
                    {"standardized", version.standardized ? "yes" : "no"},
                    {"job", lineage.job.empty() ? "imported" : lineage.job},
                    {"round", std::to_string(lineage.round)},
                    {"seed", std::to_string(lineage.seed)}};
  for (const auto& [name, value] : lineage.rule) {
    all.emplace_back(name, value);
  }
  all.emplace_back("data sha256",
                   lineage.data_digest == Digest{} ? "unknown" : lineage.data_digest.hex());
  all.emplace_back("parameters sha256", version.parameters.hex());
  all.emplace_back("file", version.file.digest.hex() + ", " + bytes_text(version.file.bytes));
  return all;
}

void write_properties(std::ostream& to, const Properties& all) {
  std::size_t width = 0;
  for (const auto& property : all) {
    width = std::max(width, property.first.size());
  }
  for (const auto& [name, value] : all) {
    to << shown(name) << ':' << std::string(width - name.size() + 2, ' ')
       << (value.empty() ? "-" : shown(value)) << '\n';
  }
}

void write_errors(std::ostream& to, const std::vector<RoundError>& errors) {
  if (errors.empty()) {
    return;
  }
  const std::size_t count = std::min(errors.size(), kErrorsShown);
  to << "\nThe last " << count << " of " << errors.size() << " validation errors:\n";
  Table table = {{"ROUND", Table::Align::kRight}, {"ERROR", Table::Align::kRight}};
  for (std::size_t n = errors.size() - count; n < errors.size(); ++n) {
    table.add({std::to_string(errors[n].round), printed("%.6f", errors[n].error)});
  }
  table.write(to);
}

void write_confusion(std::ostream& to, const ModelVersion& version) {
  if (!version.lineage.confusion) {
    return;
  }
  const Confusion& confusion = *version.lineage.confusion;
  std::map<std::uint32_t, std::uint64_t> rows;
  std::vector<ConfusionCount> wrong;
  std::uint64_t all = 0;
  std::uint64_t wrong_rows = 0;
  for (const ConfusionCount& count : confusion.counts) {
    rows[count.label] += count.rows;
    all += count.rows;
    if (count.label != count.predicted) {
      wrong.push_back(count);
      wrong_rows += count.rows;
    }
  }
  std::stable_sort(
      wrong.begin(), wrong.end(), [](const auto& a, const auto& b) { return a.rows > b.rows; });
  to << "\nConfusions: " << wrong_rows << " of " << all << " validation rows are wrong"
     << (wrong.size() > kConfusionsShown ? "; the worst:\n" : "\n");
  if (wrong.empty()) {
    return;
  }
  Table table = {
      {"LABEL"}, {"PREDICTED"}, {"ROWS", Table::Align::kRight}, {"OF LABEL", Table::Align::kRight}};
  for (std::size_t n = 0; n < std::min(wrong.size(), kConfusionsShown); ++n) {
    const ConfusionCount& count = wrong[n];
    const double share = static_cast<double>(count.rows) / static_cast<double>(rows[count.label]);
    table.add({version.labels.at(count.label),
               version.labels.at(count.predicted),
               std::to_string(count.rows),
               printed("%.1f %%", 100 * share)});
  }
  table.write(to);
}

}  // namespace

void write_models(std::ostream& to, const std::vector<ModelSummary>& models, Format format) {
  if (format == Format::kJson) {
    auto list = ordered_json::array();
    for (const ModelSummary& model : models) {
      list.push_back(in_json(model));
    }
    write_json(to, list);
    return;
  }
  Table table = {{"MODEL"},
                 {"VERSION", Table::Align::kRight},
                 {"ALIASES"},
                 {"VERSIONS", Table::Align::kRight},
                 {"ERROR", Table::Align::kRight},
                 {"TOPOLOGY"},
                 {"OPTIMIZER"},
                 {"JOB"},
                 {"CREATED"}};
  for (const ModelSummary& model : models) {
    table.add({model.model,
               std::to_string(model.version),
               joined(model.aliases),
               std::to_string(model.versions),
               error_text(model.validation_error),
               model.topology,
               model.optimizer,
               model.job,
               local_time_text(model.created_ms)});
  }
  table.write(to);
}

void write_model_details(std::ostream& to, const ModelDetails& model, Format format) {
  if (format == Format::kJson) {
    write_json(to, in_json(model));
    return;
  }
  write_properties(to, properties_of(model));
  write_errors(to, model.version.lineage.errors);
  write_confusion(to, model.version);
  to << std::flush;
}

void write_move(std::ostream& to, const std::string& model, const AliasMove& move, Format format) {
  if (format == Format::kJson) {
    write_json(to,
               {{"model", model},
                {"alias", move.alias},
                {"from", move.from > 0 ? ordered_json(move.from) : ordered_json()},
                {"to", move.to},
                {"changed", move.from != move.to}});
    return;
  }
  to << shown(model) << '@' << move.alias << ": version " << move.to;
  if (move.from == move.to) {
    to << ", as before";
  } else if (move.from > 0) {
    to << " instead of " << move.from;
  }
  to << '\n' << std::flush;
}

}  // namespace gradmill::client
