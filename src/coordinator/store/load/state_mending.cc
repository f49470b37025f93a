// Makes durable what a load has found and mended.
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/random_id.h"
#include "coordinator/store/files/sealed_file.h"
#include "coordinator/store/identity.h"
#include "coordinator/store/load/state_loader.h"

namespace gradmill::coordinator {
namespace {

constexpr unsigned kCoordinatorDigits = 16;

}  // namespace

void StateLoader::write() {
  StoredState& state = loaded_.state;
  if (state.coordinator.empty()) {
    state.coordinator = random_id(kCoordinatorDigits);
  }
  state.epoch = epoch_before_ + 1;
  FileContent content;
  const std::array sections = {content.keep(text_of(
      Identity{.format = kStateFormat, .coordinator = state.coordinator, .epoch = state.epoch}))};
  batch_->add(paths_.identity(), seal(FileKind::kIdentity, commit_, sections, std::move(content)));
  batch_->apply();
  files_.transact([&] { loaded_.database->transact([&] { write_rows(); }); });
  loaded_.index.commits = commit_;
}

void StateLoader::write_rows() {
  Database& database = *loaded_.database;
  if (make_tables_) {
    database.make_tables();
  }
  database.make_later_tables();
  database.put_meta("format", std::to_string(kStateFormat));
  database.put_meta("coordinator", loaded_.state.coordinator);
  database.put_meta("epoch", std::to_string(loaded_.state.epoch));
  database.put_meta("commits", std::to_string(commit_));
  database.put_meta("number", std::to_string(loaded_.index.next_number));
  for (const auto& [job, entry] : loaded_.index.jobs) {
    const std::uint64_t number = entry.definition->number;
    const auto trimmed = trimmed_.find(number);
    if (rebuilt_) {
      database.put_job(*entry.definition, text_of(*entry.definition));
    }
    if (trimmed != trimmed_.end()) {
      database.trim_rounds(number, trimmed->second);
    }
    if (rebuilt_ || trimmed != trimmed_.end()) {
      database.put_progress(number, text_of(entry.progress));
    }
  }
  for (const std::uint64_t number : left_out_) {
    database.remove_job(number);
  }
  predicted_.write_rows(database, loaded_, rebuilt_);
  models_.write_rows(database, loaded_, rebuilt_);
}

}  // namespace gradmill::coordinator
