#include "coordinator/store/rows/database_content.h"

#include <cstdlib>
#include <functional>
#include <set>
#include <utility>

#include "coordinator/store/rows/row_check.h"
#include "coordinator/store/texts/prediction_texts.h"

namespace gradmill::coordinator {
namespace {

using soci::into;
using soci::use;

Address address_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    throw Damage("no address");
  }
  return {text.substr(0, colon),
          static_cast<std::uint16_t>(std::strtoul(text.c_str() + colon + 1, nullptr, 10))};
}

NodeSource source_of(const std::string& text) {
  for (const NodeSource source : {NodeSource::kListed, NodeSource::kJoined, NodeSource::kAdded}) {
    if (name_of(source) == text) {
      return source;
    }
  }
  throw Damage("no source of a node");
}

StoredNode node_of(const Address& address, const std::string& standing) {
  if (standing.starts_with(kTakenOut)) {
    return {
        .address = address, .taken_out = true, .incarnation = standing.substr(kTakenOut.size())};
  }
  return {.address = address, .source = source_of(standing)};
}

void read_meta(soci::session& session, DatabaseContent& content) {
  std::string name;
  std::string value;
  long long sum = 0;
  soci::statement rows =
      (session.prepare << "SELECT name, value, xxh3 FROM meta", into(name), into(value), into(sum));
  rows.execute();
  while (rows.fetch()) {
    require_sum(sum, sum_of("meta", name, value), "meta");
    content.meta[name] = value;
  }
}

/// The texts of a table with a row a job.
std::map<std::uint64_t, std::string> read_texts(soci::session& session,
                                                const std::string& table,
                                                const std::string& columns) {
  std::map<std::uint64_t, std::string> texts;
  long long job = 0;
  std::string text;
  long long sum = 0;
  soci::statement rows = (session.prepare << "SELECT " + columns + ", xxh3 FROM " + table,
                          into(job),
                          into(text),
                          into(sum));
  rows.execute();
  while (rows.fetch()) {
    require_sum(sum, sum_of(table, std::to_string(job), text), table);
    texts[static_cast<std::uint64_t>(job)] = text;
  }
  return texts;
}

void read_jobs(soci::session& session, DatabaseContent& content) {
  const auto definitions = read_texts(session, "jobs", "number, definition");
  const auto progress = read_texts(session, "progress", "job, content");
  for (const auto& [number, text] : definitions) {
    const auto found = progress.find(number);
    if (found == progress.end()) {
      throw Damage("a row of its table progress is missing");
    }
    content.jobs.emplace_back(definition_of(text), progress_of(found->second));
  }
}

/// The names of the tables that are there: folders of earlier programs have fewer.
std::set<std::string> tables_in(soci::session& session) {
  std::set<std::string> found;
  std::string name;
  soci::statement rows =
      (session.prepare << session.get_backend()->get_table_names_query(), into(name));
  rows.execute();
  while (rows.fetch()) {
    found.insert(name);
  }
  return found;
}

void read_models(soci::session& session,
                 const std::set<std::string>& tables,
                 DatabaseContent& content) {
  for (const char* const table : {"models", "aliases"}) {
    if (tables.contains(table)) {
      check_sqlite(session, table);
    }
  }
  if (tables.contains("models")) {
    for (const auto& [number, text] : read_texts(session, "models", "number, content")) {
      content.models.push_back(model_of(text));
    }
  }
  if (!tables.contains("aliases")) {
    return;
  }
  std::string model;
  std::string text;
  long long sum = 0;
  soci::statement rows = (session.prepare << "SELECT model, content, xxh3 FROM aliases",
                          into(model),
                          into(text),
                          into(sum));
  rows.execute();
  while (rows.fetch()) {
    require_sum(sum, sum_of("aliases", model, text), "aliases");
    content.aliases.push_back(aliases_of(text));
  }
}

/// The rounds of a job up to `last`, the newest first, as long as `take` wants more; those whose
/// checksum is wrong are left out.
void read_rounds(soci::session& session,
                 std::uint64_t number,
                 std::uint32_t last,
                 const std::function<bool(RoundReport)>& take) {
  const auto job = static_cast<long long>(number);
  const auto high = static_cast<long long>(last);
  long long round = 0;
  std::string text;
  long long sum = 0;
  soci::statement rows = (session.prepare << "SELECT round, content, xxh3 FROM rounds"
                                             " WHERE job = :j AND round <= :h ORDER BY round DESC",
                          use(job),
                          use(high),
                          into(round),
                          into(text),
                          into(sum));
  rows.execute();
  while (rows.fetch()) {
    auto report = checked(sum, sum_of("rounds", key_of(job, round), text), text, report_of);
    if (report && !take(std::move(*report))) {
      return;
    }
  }
}

void read_rounds(soci::session& session, DatabaseContent& content) {
  for (const auto& [definition, progress] : content.jobs) {
    const std::uint64_t number = definition.number;
    const JobSpecification& job = *definition.specification;
    if (!has_ended(progress.state)) {
      auto& rounds = content.rounds[number];
      read_rounds(session, number, UINT32_MAX, [&](RoundReport report) {
        const std::uint32_t round = report.round;
        rounds[round] = std::move(report);
        return true;
      });
    } else if (!job.validation.empty()) {
      std::uint32_t left = job.validate_every;  // One of so many was validated.
      read_rounds(session, number, progress.round, [&](const RoundReport& report) {
        if (report.validation_error) {
          content.validation_errors[number] = *report.validation_error;
        }
        return !report.validation_error && --left > 0;
      });
    }
  }
}

void read_predicted(soci::session& session, DatabaseContent& content) {
  long long job = 0;
  long long first_row = 0;
  std::string text;
  long long sum = 0;
  soci::statement rows = (session.prepare << "SELECT job, first_row, content, xxh3 FROM predicted",
                          into(job),
                          into(first_row),
                          into(text),
                          into(sum));
  rows.execute();
  while (rows.fetch()) {
    auto range = checked(sum, sum_of("predicted", key_of(job, first_row), text), text, range_of);
    if (range) {
      const std::uint64_t row = range->first_row;
      content.predicted[static_cast<std::uint64_t>(job)].emplace(row, std::move(*range));
    }
  }
}

void read_nodes(soci::session& session, DatabaseContent& content) {
  std::string address;
  std::string source;
  long long sum = 0;
  soci::statement rows =
      (session.prepare << "SELECT address, source, xxh3 FROM nodes ORDER BY address",
       into(address),
       into(source),
       into(sum));
  rows.execute();
  while (rows.fetch()) {
    require_sum(sum, sum_of("nodes", address, source), "nodes");
    content.nodes.push_back(node_of(address_of(address), source));
  }
}

}  // namespace

DatabaseContent read_content(soci::session& session) {
  return translated([&] {
    for (const char* const table : {"meta", "jobs", "progress", "nodes"}) {
      check_sqlite(session, table);
    }
    DatabaseContent content;
    read_meta(session, content);
    read_jobs(session, content);
    read_rounds(session, content);
    read_nodes(session, content);
    const std::set<std::string> tables = tables_in(session);
    if (tables.contains("predicted")) {
      read_predicted(session, content);
    }
    read_models(session, tables, content);
    return content;
  });
}

std::optional<std::string> read_format(soci::session& session) {
  try {
    return translated([&]() -> std::optional<std::string> {
      std::string value;
      long long sum = 0;
      session << "SELECT value, xxh3 FROM meta WHERE name = 'format'", into(value), into(sum);
      return session.got_data() && sum == sum_of("meta", "format", value) ? std::optional(value)
                                                                          : std::nullopt;
    });
  } catch (const Damage&) {
    return std::nullopt;
  }
}

}  // namespace gradmill::coordinator
