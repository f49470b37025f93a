// What the rows of the state folder's database say at the start.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <soci/soci.h>

#include "coordinator/core/record.h"
#include "coordinator/store/texts/model_texts.h"
#include "coordinator/store/texts/stored_texts.h"

namespace gradmill::coordinator {

/// All rows but those of events, tasks, and rounds of jobs that have ended.
struct DatabaseContent {
  std::map<std::string, std::string> meta;
  std::vector<std::pair<Definition, Progress>> jobs;  ///< Ascending numbers.
  /// Of jobs that have not ended, by number and round; those whose checksum is wrong are left out.
  std::map<std::uint64_t, std::map<std::uint32_t, RoundReport>> rounds;
  /// Of the last validated round of jobs that have ended, by number, where there is one.
  std::map<std::uint64_t, double> validation_errors;
  /// Of prediction jobs, by number and first row; those whose checksum is wrong are left out.
  std::map<std::uint64_t, std::map<std::uint64_t, PredictedRange>> predicted;
  std::vector<StoredNode> nodes;
  std::vector<NumberedModel> models;  ///< Ascending numbers.
  std::vector<ModelAliases> aliases;
};

/// Checks the pages and rows of all tables but those of rounds, ranges and events, of which it
/// checks the rows that it reads: there are too many of them for a start. Throws as Database does.
[[nodiscard]] DatabaseContent read_content(soci::session& session);

/// The format that the database says it is of; nothing if that cannot be read.
[[nodiscard]] std::optional<std::string> read_format(soci::session& session);

}  // namespace gradmill::coordinator
