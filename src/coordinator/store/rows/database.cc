#include "coordinator/store/rows/database.h"

#include <array>
#include <system_error>
#include <vector>

#include "coordinator/store/rows/row_check.h"
#include "coordinator/store/texts/prediction_texts.h"

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

constexpr std::array kLaterTables = {
    "CREATE TABLE IF NOT EXISTS predicted (job INTEGER NOT NULL, first_row BIGINT NOT NULL,"
    " content TEXT NOT NULL, xxh3 BIGINT NOT NULL, PRIMARY KEY (job, first_row))",
    "CREATE TABLE IF NOT EXISTS models (number INTEGER PRIMARY KEY, content TEXT NOT NULL,"
    " xxh3 BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS aliases (model VARCHAR(64) PRIMARY KEY, content TEXT NOT NULL,"
    " xxh3 BIGINT NOT NULL)"};

/// A member's standing: its source, or that it was taken out by hand, and as which incarnation.
std::string standing_of(const StoredNode& node) {
  return node.taken_out ? std::string(kTakenOut) + node.incarnation
                        : std::string(name_of(node.source));
}

/// The key of a member's row, that of an IPv6 address without brackets.
std::string row_of(const Address& address) {
  return address.host + ":" + std::to_string(address.port);
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
        put_predicted((session.prepare << "INSERT INTO predicted (job, first_row, content, xxh3)"
                                          " VALUES (:j, :n, :t, :s)"
                                          " ON CONFLICT (job, first_row) DO UPDATE"
                                          " SET content = excluded.content, xxh3 = excluded.xxh3",
                       use(job),
                       use(number),
                       use(text),
                       use(sum))),
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
                  use(sum))),
        put_model((session.prepare << "INSERT INTO models (number, content, xxh3)"
                                      " VALUES (:j, :t, :s) ON CONFLICT (number) DO UPDATE"
                                      " SET content = excluded.content, xxh3 = excluded.xxh3",
                   use(job),
                   use(text),
                   use(sum))),
        put_aliases((session.prepare << "INSERT INTO aliases (model, content, xxh3)"
                                        " VALUES (:a, :t, :s) ON CONFLICT (model) DO UPDATE"
                                        " SET content = excluded.content, xxh3 = excluded.xxh3",
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
  soci::statement put_predicted;
  soci::statement put_event;
  soci::statement put_node;
  soci::statement put_model;
  soci::statement put_aliases;
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

void Database::make_later_tables() {
  translated([&] {
    for (const char* table : kLaterTables) {
      session_ << table;
    }
  });
}

std::optional<std::string> Database::format() { return read_format(session_); }

void Database::check() {
  translated([&] { check_sqlite(session_); });
}

DatabaseContent Database::read() { return read_content(session_); }

void Database::commit(const std::function<void()>& changes) {
  try {
    changes();
    session_.commit();
  } catch (const soci::soci_error&) {
    require_no_file_limit(session_);  // Before a rollback changes what it says.
    throw;
  }
}

void Database::transact(const std::function<void()>& changes) {
  translated([&] {
    session_.begin();
    try {
      commit(changes);
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

void Database::fold_log() {
  try {
    translated([&] { coordinator::fold_log(session_); });
  } catch (const std::system_error&) {
    // All of it is durable where it is.
    static_cast<void>(0);
  }
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

void Database::put_predicted(std::uint64_t job, const PredictedRange& range) {
  Statements& all = statements();
  all.job = static_cast<long long>(job);
  all.number = static_cast<long long>(range.first_row);
  all.text = text_of(range);
  all.sum = sum_of("predicted", key_of(all.job, all.number), all.text);
  all.put_predicted.execute(true);
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
  all.name = row_of(node.address);
  all.text = standing_of(node);
  all.sum = sum_of("nodes", all.name, all.text);
  all.put_node.execute(true);
}

void Database::remove_node(const Address& address) {
  const std::string text = row_of(address);
  session_ << "DELETE FROM nodes WHERE address = :a", use(text);
}

void Database::trim_rounds(std::uint64_t job, std::uint32_t last) {
  const auto number = static_cast<long long>(job);
  const auto round = static_cast<long long>(last);
  session_ << "DELETE FROM rounds WHERE job = :j AND round > :r", use(number), use(round);
}

void Database::trim_predicted(std::uint64_t job, std::uint64_t first_row) {
  const auto number = static_cast<long long>(job);
  const auto row = static_cast<long long>(first_row);
  session_ << "DELETE FROM predicted WHERE job = :j AND first_row >= :r", use(number), use(row);
}

void Database::remove_job(std::uint64_t job) {
  const auto number = static_cast<long long>(job);
  session_ << "DELETE FROM jobs WHERE number = :j", use(number);
  for (const char* table : {"progress", "rounds", "predicted", "events"}) {
    session_ << "DELETE FROM " << table << " WHERE job = :j", use(number);
  }
}

void Database::put_model(const NumberedModel& model, const std::string& text) {
  Statements& all = statements();
  all.job = static_cast<long long>(model.number);
  all.text = text;
  all.sum = sum_of("models", std::to_string(model.number), text);
  all.put_model.execute(true);
}

void Database::remove_model(std::uint64_t model) {
  const auto number = static_cast<long long>(model);
  session_ << "DELETE FROM models WHERE number = :j", use(number);
}

void Database::put_aliases(const std::string& model, const std::string& text) {
  Statements& all = statements();
  all.name = sha256(model).hex();
  all.text = text;
  all.sum = sum_of("aliases", all.name, text);
  all.put_aliases.execute(true);
}

void Database::remove_aliases(const std::string& model) {
  const std::string name = sha256(model).hex();
  session_ << "DELETE FROM aliases WHERE model = :a", use(name);
}

}  // namespace gradmill::coordinator
