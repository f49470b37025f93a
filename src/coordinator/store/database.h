// The rows of the state folder's database. Each row has a checksum of its key and content.
//
// meta(name, value): format, commits, coordinator, epoch, number
// jobs(number, definition), progress(job, content): one row a job each; `job` is its number
// rounds(job, round, content, tasks), events(job, sequence, content), nodes(address, source)
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <soci/soci.h>

#include "coordinator/core/record.h"
#include "coordinator/store/stored_texts.h"

namespace gradmill::coordinator {

/// All rows but those of events and tasks.
struct DatabaseContent {
  std::map<std::string, std::string> meta;
  std::vector<std::pair<Definition, Progress>> jobs;  ///< Ascending numbers.
  /// By job's number and round; those whose checksum is wrong are left out.
  std::map<std::uint64_t, std::map<std::uint32_t, RoundReport>> rounds;
  std::vector<StoredNode> nodes;
};

/// Writes, and reads at the start. Every call throws DatabaseUnavailable or Damage. For one thread.
class Database {
 public:
  /// Opens the database at `path`, or makes an empty one.
  explicit Database(const std::string& path);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Whether there are tables.
  [[nodiscard]] bool has_tables();
  void make_tables();
  /// Checks every page and row; Damage if something is wrong that more than a round's figures hang
  /// on.
  [[nodiscard]] DatabaseContent read();

  /// Runs `changes` in one transaction, durable on return; on a throw nothing of it is there.
  void transact(const std::function<void()>& changes);

  // Within a transaction. Rows that are there are replaced.
  void put_meta(const std::string& name, const std::string& value);
  void put_job(const Definition& definition, const std::string& text);
  void put_progress(std::uint64_t job, const std::string& text);
  void put_round(std::uint64_t job, const RoundReport& report);
  void put_event(std::uint64_t job, const JobEvent& event);
  void put_node(const StoredNode& node);
  void remove_node(const Address& address);
  /// Rounds after `last`.
  void trim_rounds(std::uint64_t job, std::uint32_t last);
  void remove_job(std::uint64_t job);

 private:
  struct Statements;
  [[nodiscard]] Statements& statements();

  soci::session session_;
  std::unique_ptr<Statements> statements_;
};

/// Reads what happened to jobs while a Database of the same file is written to. For one thread.
class DatabaseReader {
 public:
  explicit DatabaseReader(const std::string& path);
  /// Rounds `after` + 1 to `last` with their tasks; those whose checksum is wrong are left out.
  [[nodiscard]] std::map<std::uint32_t, RoundReport> rounds(std::uint64_t job,
                                                            std::uint32_t after,
                                                            std::uint32_t last);
  /// At most `limit` events after `after`, likewise.
  [[nodiscard]] std::vector<JobEvent> events(std::uint64_t job,
                                             std::uint64_t after,
                                             std::uint32_t limit);

 private:
  soci::session session_;
};

}  // namespace gradmill::coordinator
