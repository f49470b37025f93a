// The rows of the state folder's database. Each row has a checksum of its key and content.
//
// meta(name, value): format, commits, coordinator, epoch, number, scheduling
// jobs(number, definition), progress(job, content): one row a job each; `job` is its number
// rounds(job, round, content, tasks), events(job, sequence, content), nodes(address, source)
// predicted(job, first_row, content): ranges of prediction jobs
// models(number, content): a version; aliases(model, content): `model` is the name's SHA-256
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <soci/soci.h>

#include "coordinator/core/record.h"
#include "coordinator/store/rows/database_content.h"
#include "coordinator/store/texts/model_texts.h"
#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {

/// Writes, and reads at the start. Every call throws DatabaseUnavailable, Damage, or
/// std::system_error if the disk is full or a file meets its limit. For one thread.
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
  /// Those that folders of earlier programs do not have.
  void make_later_tables();
  /// The format that the database says it is of; nothing if that cannot be read.
  [[nodiscard]] std::optional<std::string> format();
  /// Checks every page.
  void check();
  /// Damage if something is wrong that more than a round's figures hang on.
  [[nodiscard]] DatabaseContent read();

  /// Runs `changes` in one transaction, durable on return; on a throw nothing of it is there.
  void transact(const std::function<void()>& changes);
  /// Gives the room of the write-ahead log back, if the disk has enough for that.
  void fold_log();

  // Within a transaction. Rows that are there are replaced.
  void put_meta(const std::string& name, const std::string& value);
  void put_job(const Definition& definition, const std::string& text);
  void put_progress(std::uint64_t job, const std::string& text);
  void put_round(std::uint64_t job, const RoundReport& report);
  void put_predicted(std::uint64_t job, const PredictedRange& range);
  void put_event(std::uint64_t job, const JobEvent& event);
  void put_node(const StoredNode& node);
  void remove_node(const Address& address);
  /// Rounds after `last`.
  void trim_rounds(std::uint64_t job, std::uint32_t last);
  /// Ranges from `first_row` on.
  void trim_predicted(std::uint64_t job, std::uint64_t first_row);
  void remove_job(std::uint64_t job);
  void put_model(const NumberedModel& model, const std::string& text);
  void remove_model(std::uint64_t number);
  void put_aliases(const std::string& model, const std::string& text);
  void remove_aliases(const std::string& model);

 private:
  struct Statements;
  [[nodiscard]] Statements& statements();
  void commit(const std::function<void()>& changes);

  soci::session session_;
  std::unique_ptr<Statements> statements_;
};

}  // namespace gradmill::coordinator
