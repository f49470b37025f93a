#include "coordinator/store/database.h"

#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "base/checksum.h"
#include "coordinator/store/sqlite_session.h"

namespace gradmill::coordinator {
namespace {

using soci::into;
using soci::use;

constexpr std::array kTables = {
    "CREATE TABLE meta (name VARCHAR(64) PRIMARY KEY, value TEXT NOT NULL, xxh3 BIGINT NOT NULL)",
    "CREATE TABLE jobs (number INTEGER PRIMARY KEY, definition TEXT NOT NULL,"
    " xxh3 BIGINT NOT NULL)",
    "CREATE TABLE progress (job INTEGER PRIMARY KEY, content TEXT NOT NULL, xxh3 BIGINT NOT NULL)",
    "CREATE TABLE rounds (job INTEGER NOT NULL, round INTEGER NOT NULL, content TEXT NOT NULL,"
    " xxh3 BIGINT NOT NULL, tasks TEXT NOT NULL, tasks_xxh3 BIGINT NOT NULL,"
    " PRIMARY KEY (job, round))",
    "CREATE TABLE events (job INTEGER NOT NULL, sequence BIGINT NOT NULL, content TEXT NOT NULL,"
    " xxh3 BIGINT NOT NULL, PRIMARY KEY (job, sequence))",
    "CREATE TABLE nodes (address VARCHAR(300) PRIMARY KEY, source TEXT NOT NULL,"
    " xxh3 BIGINT NOT NULL)"};

/// Of a row: its table, key and text, so that a text in another's row shows too.
long long sum_of(const std::string& table, const std::string& key, const std::string& text) {
  return std::bit_cast<long long>(checksum(table + '\n' + key + '\n' + text));
}

std::string key_of(long long job, long long number) {
  return std::to_string(job) + ' ' + std::to_string(number);
}

void require_sum(long long sum, long long expected, const std::string& table) {
  if (sum != expected) {
    throw Damage("a row of its table " + table + " is damaged");
  }
}

/// Runs `work`; what the database throws becomes one of our two errors.
template <class Work>
auto translated(Work work) {
  try {
    return work();
  } catch (const soci::soci_error&) {
    rethrow_sqlite();
  }
}

/// The value of a row's text, or nothing if it is not what its checksum says.
template <class Parse>
auto checked(long long sum, long long expected, const std::string& text, Parse parse)
    -> std::optional<decltype(parse(text))> {
  if (sum != expected) {
    return std::nullopt;
  }
  try {
    return parse(text);
  } catch (const Damage&) {
    return std::nullopt;
  }
}

Address address_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    throw Damage("no address");
  }
  return {text.substr(0, colon),
          static_cast<std::uint16_t>(std::strtoul(text.c_str() + colon + 1, nullptr, 10))};
}

/// A member's standing: its source, or that it was taken out by hand, and as which incarnation.
constexpr std::string_view kTakenOut = "taken-out ";

std::string standing_of(const StoredNode& node) {
  return node.taken_out ? std::string(kTakenOut) + node.incarnation
                        : std::string(name_of(node.source));
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

void read_rounds(soci::session& session, DatabaseContent& content) {
  long long job = 0;
  long long round = 0;
  std::string text;
  long long sum = 0;
  soci::statement rows = (session.prepare << "SELECT job, round, content, xxh3 FROM rounds",
                          into(job),
                          into(round),
                          into(text),
                          into(sum));
  rows.execute();
  while (rows.fetch()) {
    auto report = checked(sum, sum_of("rounds", key_of(job, round), text), text, report_of);
    if (report) {
      content.rounds[static_cast<std::uint64_t>(job)][report->round] = std::move(*report);
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

/// Prepared once, since parsing costs more than most rows; all are bound to the same values.
struct Database::Statements {
  explicit Statements(soci::session& session)
      : put_meta((session.prepare << "INSERT INTO meta (name, value, xxh3) VALUES (:n, :v, :s)"
                                     " ON CONFLICT (name) DO UPDATE"
                                     " SET value = excluded.value, xxh3 = excluded.xxh3",
                  use(name),
                  use(text),
                  use(sum))),
        put_job((session.prepare << "INSERT INTO jobs (number, definition, xxh3)"
                                    " VALUES (:j, :t, :s) ON CONFLICT (number) DO UPDATE"
                                    " SET definition = excluded.definition, xxh3 = excluded.xxh3",
                 use(job),
                 use(text),
                 use(sum))),
        put_progress((session.prepare
                          << "INSERT INTO progress (job, content, xxh3) VALUES (:j, :t, :s)"
                             " ON CONFLICT (job) DO UPDATE"
                             " SET content = excluded.content, xxh3 = excluded.xxh3",
                      use(job),
                      use(text),
                      use(sum))),
        put_round((session.prepare
                       << "INSERT INTO rounds (job, round, content, xxh3, tasks, tasks_xxh3)"
                          " VALUES (:j, :r, :c, :s, :t, :u) ON CONFLICT (job, round) DO UPDATE"
                          " SET content = excluded.content, xxh3 = excluded.xxh3,"
                          " tasks = excluded.tasks, tasks_xxh3 = excluded.tasks_xxh3",
                   use(job),
                   use(number),
                   use(text),
                   use(sum),
                   use(tasks),
                   use(tasks_sum))),
        put_event((session.prepare << "INSERT INTO events (job, sequence, content, xxh3)"
                                      " VALUES (:j, :n, :t, :s)"
                                      " ON CONFLICT (job, sequence) DO UPDATE"
                                      " SET content = excluded.content, xxh3 = excluded.xxh3",
                   use(job),
                   use(number),
                   use(text),
                   use(sum))),
        put_node((session.prepare << "INSERT INTO nodes (address, source, xxh3)"
                                     " VALUES (:a, :t, :s) ON CONFLICT (address) DO UPDATE"
                                     " SET source = excluded.source, xxh3 = excluded.xxh3",
                  use(name),
                  use(text),
                  use(sum))) {}

  std::string name;
  long long job = 0;
  long long number = 0;
  std::string text;
  long long sum = 0;
  std::string tasks;
  long long tasks_sum = 0;

  soci::statement put_meta;
  soci::statement put_job;
  soci::statement put_progress;
  soci::statement put_round;
  soci::statement put_event;
  soci::statement put_node;
};

Database::Database(const std::string& path) {
  translated([&] { open_sqlite(session_, path); });
}

Database::~Database() = default;

Database::Statements& Database::statements() {
  if (!statements_) {
    statements_ = std::make_unique<Statements>(session_);
  }
  return *statements_;
}

bool Database::has_tables() {
  return translated([&] {
    std::vector<std::string> names(16);
    session_ << session_.get_backend()->get_table_names_query(), into(names);
    return !names.empty();
  });
}

void Database::make_tables() {
  translated([&] {
    for (const char* table : kTables) {
      session_ << table;
    }
  });
}

DatabaseContent Database::read() {
  return translated([&] {
    check_sqlite(session_);
    DatabaseContent content;
    read_meta(session_, content);
    read_jobs(session_, content);
    read_rounds(session_, content);
    read_nodes(session_, content);
    return content;
  });
}

void Database::transact(const std::function<void()>& changes) {
  translated([&] {
    session_.begin();
    try {
      changes();
      session_.commit();
    } catch (...) {
      try {
        session_.rollback();
      } catch (const soci::soci_error&) {
        // SQLite has done it itself; the first error is the one that tells why.
        static_cast<void>(0);
      }
      throw;
    }
  });
}

void Database::put_meta(const std::string& name, const std::string& value) {
  Statements& all = statements();
  all.name = name;
  all.text = value;
  all.sum = sum_of("meta", name, value);
  all.put_meta.execute(true);
}

void Database::put_job(const Definition& definition, const std::string& text) {
  Statements& all = statements();
  all.job = static_cast<long long>(definition.number);
  all.text = text;
  all.sum = sum_of("jobs", std::to_string(all.job), text);
  all.put_job.execute(true);
}

void Database::put_progress(std::uint64_t job, const std::string& text) {
  Statements& all = statements();
  all.job = static_cast<long long>(job);
  all.text = text;
  all.sum = sum_of("progress", std::to_string(job), text);
  all.put_progress.execute(true);
}

void Database::put_round(std::uint64_t job, const RoundReport& report) {
  Statements& all = statements();
  all.job = static_cast<long long>(job);
  all.number = report.round;
  const std::string key = key_of(all.job, all.number);
  all.text = text_of(report);
  all.sum = sum_of("rounds", key, all.text);
  all.tasks = text_of(report.tasks);
  all.tasks_sum = sum_of("tasks", key, all.tasks);
  all.put_round.execute(true);
}

void Database::put_event(std::uint64_t job, const JobEvent& event) {
  Statements& all = statements();
  all.job = static_cast<long long>(job);
  all.number = static_cast<long long>(event.sequence);
  all.text = text_of(event);
  all.sum = sum_of("events", key_of(all.job, all.number), all.text);
  all.put_event.execute(true);
}

void Database::put_node(const StoredNode& node) {
  Statements& all = statements();
  all.name = node.address.text();
  all.text = standing_of(node);
  all.sum = sum_of("nodes", all.name, all.text);
  all.put_node.execute(true);
}

void Database::remove_node(const Address& address) {
  const std::string text = address.text();
  session_ << "DELETE FROM nodes WHERE address = :a", use(text);
}

void Database::trim_rounds(std::uint64_t job, std::uint32_t last) {
  const auto number = static_cast<long long>(job);
  const auto round = static_cast<long long>(last);
  session_ << "DELETE FROM rounds WHERE job = :j AND round > :r", use(number), use(round);
}

void Database::remove_job(std::uint64_t job) {
  const auto number = static_cast<long long>(job);
  session_ << "DELETE FROM jobs WHERE number = :j", use(number);
  for (const char* table : {"progress", "rounds", "events"}) {
    session_ << "DELETE FROM " << table << " WHERE job = :j", use(number);
  }
}

DatabaseReader::DatabaseReader(const std::string& path) {
  translated([&] { open_sqlite(session_, path); });
}

std::map<std::uint32_t, RoundReport> DatabaseReader::rounds(std::uint64_t job,
                                                            std::uint32_t after,
                                                            std::uint32_t last) {
  return translated([&] {
    std::map<std::uint32_t, RoundReport> reports;
    const auto number = static_cast<long long>(job);
    const auto low = static_cast<long long>(after);
    const auto high = static_cast<long long>(last);
    long long round = 0;
    std::string text;
    long long sum = 0;
    std::string tasks;
    long long tasks_sum = 0;
    soci::statement rows =
        (session_.prepare << "SELECT round, content, xxh3, tasks, tasks_xxh3 FROM rounds"
                             " WHERE job = :j AND round > :l AND round <= :h ORDER BY round",
         use(number),
         use(low),
         use(high),
         into(round),
         into(text),
         into(sum),
         into(tasks),
         into(tasks_sum));
    rows.execute();
    while (rows.fetch()) {
      const std::string key = key_of(number, round);
      auto report = checked(sum, sum_of("rounds", key, text), text, report_of);
      if (report) {
        auto list = checked(tasks_sum, sum_of("tasks", key, tasks), tasks, tasks_of);
        report->tasks = std::move(list).value_or(std::vector<TaskReport>{});
        reports.emplace(report->round, std::move(*report));
      }
    }
    return reports;
  });
}

std::vector<JobEvent> DatabaseReader::events(std::uint64_t job,
                                             std::uint64_t after,
                                             std::uint32_t limit) {
  return translated([&] {
    std::vector<JobEvent> events;
    const auto number = static_cast<long long>(job);
    const auto low = static_cast<long long>(after);
    const auto most = static_cast<long long>(limit);
    long long sequence = 0;
    std::string text;
    long long sum = 0;
    soci::statement rows = (session_.prepare << "SELECT sequence, content, xxh3 FROM events"
                                                " WHERE job = :j AND sequence > :l"
                                                " ORDER BY sequence LIMIT :m",
                            use(number),
                            use(low),
                            use(most),
                            into(sequence),
                            into(text),
                            into(sum));
    rows.execute();
    while (rows.fetch()) {
      if (auto event =
              checked(sum, sum_of("events", key_of(number, sequence), text), text, event_of)) {
        events.push_back(std::move(*event));
      }
    }
    return events;
  });
}

}  // namespace gradmill::coordinator
