#include "coordinator/store/load/state_loader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "coordinator/store/files/file_identity.h"
#include "coordinator/store/files/sealed_file.h"
#include "coordinator/store/identity.h"
#include "coordinator/store/rows/sqlite_session.h"

namespace gradmill::coordinator {
namespace {

constexpr std::uint64_t kIdentityBytesMax = 4096;

std::uint64_t number_in(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Damage("a number of its table meta is none");
  }
  return number;
}

std::string value_of(const std::map<std::string, std::string>& meta, const std::string& name) {
  const auto found = meta.find(name);
  if (found == meta.end()) {
    throw Damage("its table meta has no " + name);
  }
  return found->second;
}

/// Nothing there is that of folders of earlier programs.
SchedulingMode scheduling_in(const std::map<std::string, std::string>& meta) {
  const auto found = meta.find("scheduling");
  if (found == meta.end()) {
    return SchedulingMode::kGlobal;
  }
  const std::optional<SchedulingMode> mode = scheduling_mode(found->second);
  if (!mode) {
    throw Damage("its table meta names no mode of scheduling");
  }
  return *mode;
}

void check_format(const std::string& root, std::uint64_t format) {
  if (format > kStateFormat) {
    throw invalid_input("the state folder " + root + " is of format " + std::to_string(format) +
                        " and this gradmill knows " + std::to_string(kStateFormat) +
                        "; run the newer gradmill, or give --state-dir another one");
  }
}

std::string in_rounds(std::uint32_t round) {
  return round == 0 ? std::string("its start") : "round " + std::to_string(round);
}

std::string words_for_damaged_weights(const JobSpecification& job) {
  return job.prediction ? "its model file is damaged" : "all of its weights are damaged";
}

}  // namespace

LoadedState StateLoader::load() {
  read_identity();
  FileBatch folders(files_);
  folders.make_folder(paths_.jobs());
  folders.make_folder(paths_.shards());
  folders.make_folder(paths_.models());
  folders.apply();
  read_folders();
  models_.find();
  loaded_.index.next_number = std::max(loaded_.index.next_number, models_.next_number());
  read_database();
  batch_ = std::make_unique<FileBatch>(files_);
  commit_ = loaded_.index.commits + 1;
  for (auto& [definition, progress] : content_.jobs) {
    recover(definition, std::move(progress));
  }
  models_.recover(content_, commit_, *batch_, loaded_);
  loaded_.state.nodes = content_.nodes;
  write();
  tidy();
  return std::move(loaded_);
}

void StateLoader::read_identity() {
  if (!is_there(paths_.identity())) {
    return;
  }
  try {
    const auto bytes = read_if_there(paths_.identity(), kIdentityBytesMax);
    const auto sealed = bytes ? unseal(*bytes, FileKind::kIdentity, 1) : std::nullopt;
    const Identity identity = identity_of(sealed ? sealed->sections[0] : std::string_view{});
    check_format(paths_.root(), identity.format);
    loaded_.state.coordinator = identity.coordinator;
    epoch_before_ = identity.epoch;
  } catch (const Damage&) {
    note("the file identity was damaged and is made anew");
  }
}

void StateLoader::read_folders() {
  for (FoundJob& found : find_jobs(paths_)) {
    Folder folder;
    folder.definition = read_definition(found.path);
    if (folder.definition && folder.definition->value.number != found.number) {
      folder.definition.reset();
    }
    folder.state = read_state(found.path, found.number);
    loaded_.index.next_number = std::max(loaded_.index.next_number, found.number + 1);
    folder.found = std::move(found);
    folders_[folder.found.number] = std::move(folder);
  }
}

void StateLoader::read_database() {
  const bool there = is_there(paths_.database());
  const bool is_new = folders_.empty() && models_.empty();
  const bool used = there || !is_new;
  try {
    loaded_.database = std::make_unique<Database>(paths_.database());
    if (const auto format = loaded_.database->format()) {
      check_format(paths_.root(), number_in(*format));  // Before anything is taken for damage.
    }
    if (!loaded_.database->has_tables()) {
      make_tables_ = true;
      if (is_new) {
        return;
      }
      throw Damage(there ? "it is empty" : "it is missing");
    }
    if (is_there(paths_.suspect())) {
      loaded_.database->check();
    }
    content_ = loaded_.database->read();
    static_cast<void>(value_of(content_.meta, "format"));
    epoch_before_ = std::max(epoch_before_, number_in(value_of(content_.meta, "epoch")));
    loaded_.index.commits = number_in(value_of(content_.meta, "commits"));
    loaded_.index.next_number =
        std::max(loaded_.index.next_number, number_in(value_of(content_.meta, "number")));
    if (loaded_.state.coordinator.empty()) {
      loaded_.state.coordinator = value_of(content_.meta, "coordinator");
    }
    loaded_.state.scheduling = scheduling_in(content_.meta);
    if (is_behind()) {
      throw Damage("it is older than the files beside it");
    }
  } catch (const Damage& damage) {
    if (used) {
      rebuild(damage.what());
    }
  }
}

bool StateLoader::is_behind() const {
  const std::uint64_t next = loaded_.index.commits + 1;
  for (const auto& [number, folder] : folders_) {
    if ((folder.definition && folder.definition->commit > next) ||
        (folder.state && folder.state->commit > next)) {
      return true;
    }
  }
  if (models_.is_behind(content_, next)) {
    return true;
  }
  return std::any_of(content_.jobs.begin(), content_.jobs.end(), [&](const auto& job) {
    const auto& [definition, progress] = job;
    const auto folder = folders_.find(definition.number);
    if (folder == folders_.end() || folder->second.found.generations.empty()) {
      return false;
    }
    if (PredictedLoader::is_behind(folder->second.found, progress, next)) {
      return true;
    }
    const std::uint32_t newest = *folder->second.found.generations.rbegin();
    const auto generation = newest > progress.round
                                ? read_generation(folder->second.found.path, definition, newest)
                                : std::nullopt;
    return generation && generation->commit > next;
  });
}

void StateLoader::move_database_aside() {
  loaded_.database.reset();
  const std::string aside = free_name(paths_.database() + ".damaged-");
  // The log first: beside another database it would be taken for that one's.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (is_there(paths_.database() + suffix)) {
      files_.rename(paths_.database() + suffix, aside + suffix);
    }
  }
  files_.sync(std::array{paths_.root()});
}

void StateLoader::rebuild(const std::string& why) {
  move_database_aside();
  rebuilt_ = true;
  make_tables_ = true;
  content_ = {};
  loaded_.database = std::make_unique<Database>(paths_.database());
  std::map<std::string, std::uint64_t> newest;
  for (const auto& [number, folder] : folders_) {
    if (folder.definition) {
      newest[folder.definition->value.job] = number;
    }
  }
  for (const auto& [number, folder] : folders_) {
    if (!folder.definition) {
      note("the job in the folder jobs/" + folder.found.name +
           " is left out: its specification is damaged; the folder is kept in damaged/");
      left_out_.push_back(number);
      continue;
    }
    const Definition& definition = folder.definition->value;
    if (newest[definition.job] != number) {
      continue;
    }
    loaded_.index.commits = std::max(loaded_.index.commits, folder.definition->commit);
    if (folder.state) {
      loaded_.index.commits = std::max(loaded_.index.commits, folder.state->commit);
    }
    if (auto progress = progress_in(folder)) {
      if (definition.specification->prediction) {
        loaded_.index.commits =
            std::max(loaded_.index.commits,
                     predicted_.rebuild(folder.found, definition, folder.state, *progress));
      }
      content_.jobs.emplace_back(definition, std::move(*progress));
    } else {
      leave_out(definition, words_for_damaged_weights(*definition.specification));
    }
  }
  models_.rebuild(content_, loaded_.index.commits, loaded_.state.notes);
  note("the database was damaged (" + why +
       ") and is made anew from the folders of jobs and models: the figures of their rounds, their "
       "events "
       "and the nodes that had joined are lost");
}

std::optional<Progress> StateLoader::progress_in(const Folder& folder) {
  if (folder.state && has_ended(folder.state->value.state)) {
    return folder.state->value;
  }
  const auto& generations = folder.found.generations;
  for (auto round = generations.rbegin(); round != generations.rend(); ++round) {
    auto generation = read_generation(folder.found.path, folder.definition->value, *round);
    if (generation) {
      loaded_.index.commits = std::max(loaded_.index.commits, generation->commit);
      Progress progress = std::move(generation->value.progress);
      progress.state = folder.state ? folder.state->value.state : JobState::kPending;
      progress.end = {};
      progress.ended_ms = 0;
      if (round != generations.rbegin()) {
        note("job " + folder.definition->value.job + " goes on from " + in_rounds(*round) +
             ": its later weights are damaged");
      }
      if (!folder.state && is_there(state_path(folder.found.path))) {
        note("job " + folder.definition->value.job +
             " goes on, though it may have been paused or have ended: its state is damaged");
      }
      return progress;
    }
  }
  return std::nullopt;
}

void StateLoader::recover(const Definition& definition, Progress progress) {
  const auto folder = folders_.find(definition.number);
  if (folder == folders_.end()) {
    leave_out(definition, "its folder is missing");
    return;
  }
  StoredJob job;
  if (has_ended(progress.state)) {
    job.checkpoint.round = progress.round;
    job.checkpoint.weights.ref = progress.weights;
    job.checkpoint.server = std::make_shared<const ml::ServerState>();
    job.checkpoint.best_round = progress.best_round;
    job.checkpoint.best_error = progress.best_error;
    job.checkpoint.best_weights.ref = progress.best_weights;
    job.checkpoint.exact = progress.exact;
  } else {
    auto generation = choose_generation(folder->second, definition, progress);
    if (!generation) {
      leave_out(definition, words_for_damaged_weights(*definition.specification));
      return;
    }
    job.checkpoint = std::move(generation->value.checkpoint);
    if (job.checkpoint.round != progress.round) {
      note("job " + definition.job + " goes on from " + in_rounds(job.checkpoint.round) +
           " instead of " + in_rounds(progress.round) + ": the weights after that are damaged");
      generation->value.progress.state = progress.state;
      progress = std::move(generation->value.progress);
      progress.end = {};
      progress.ended_ms = 0;
      trimmed_[definition.number] = progress.round;
    }
  }
  if (definition.specification->prediction &&
      predicted_.recover(folder->second.found, definition, progress, job)) {
    trimmed_[definition.number] = progress.round;
  }
  StoreEntry entry{std::make_shared<const Definition>(definition), std::move(progress)};
  mend_files(folder->second, entry);
  job.job = definition.job;
  job.specification = definition.specification;
  job.shard_rows = definition.shard_rows;
  job.submitted_ms = definition.submitted_ms;
  job.share = definition.share;
  job.model = definition.model;
  job.state = entry.progress.state;
  job.end = entry.progress.end;
  job.ended_ms = entry.progress.ended_ms;
  job.tallies = entry.progress.tallies;
  job.batch_rows = entry.progress.batch_rows;
  job.statistics = entry.progress.statistics;
  if (has_ended(job.state)) {
    const auto known = content_.validation_errors.find(definition.number);
    job.validation_error =
        known == content_.validation_errors.end() ? std::nullopt : std::optional(known->second);
  } else {
    job.rounds = reports_of(entry);
  }
  loaded_.state.jobs.push_back(std::move(job));
  loaded_.index.generations[definition.number] = folder->second.found.generations;
  loaded_.index.jobs[definition.job] = std::move(entry);
}

std::optional<FromFile<Generation>> StateLoader::choose_generation(const Folder& folder,
                                                                   const Definition& definition,
                                                                   const Progress& progress) {
  const auto& rounds = folder.found.generations;
  std::vector<std::uint32_t> order(rounds.begin(), rounds.upper_bound(progress.round));
  std::reverse(order.begin(), order.end());
  order.insert(order.end(), rounds.upper_bound(progress.round), rounds.end());
  for (const std::uint32_t round : order) {
    auto generation = read_generation(folder.found.path, definition, round);
    if (generation &&
        (round != progress.round || generation->value.progress.weights == progress.weights)) {
      return generation;
    }
  }
  return std::nullopt;
}

void StateLoader::mend_files(const Folder& folder, const StoreEntry& entry) {
  const Definition& definition = *entry.definition;
  if (!folder.definition || folder.definition->value.job != definition.job) {
    note("the specification of job " + definition.job +
         " was damaged in its folder and is mended from the database");
    batch_->add(definition_path(folder.found.path), definition_file(commit_, text_of(definition)));
  }
  const JobState in_file = folder.state ? folder.state->value.state : JobState::kPending;
  const bool same =
      in_file == entry.progress.state &&
      (!has_ended(in_file) || text_of(folder.state->value) == text_of(entry.progress));
  if (!same || (!folder.state && is_there(state_path(folder.found.path)))) {
    batch_->add(state_path(folder.found.path),
                state_file(commit_, definition.number, entry.progress));
  }
}

std::vector<RoundReport> StateLoader::reports_of(const StoreEntry& entry) {
  auto& known = content_.rounds[entry.definition->number];
  std::vector<RoundReport> reports(entry.progress.round);
  std::uint32_t lost = 0;
  for (std::uint32_t round = 1; round <= entry.progress.round; ++round) {
    RoundReport& report = reports[round - 1];
    const auto found = known.find(round);
    if (found != known.end()) {
      report = std::move(found->second);
    } else {
      report.round = round;
      ++lost;
    }
  }
  if (lost > 0 && !rebuilt_) {
    note("the figures of " + std::to_string(lost) + " rounds of job " + entry.definition->job +
         " are damaged and left out");
  }
  return reports;
}

void StateLoader::leave_out(const Definition& definition, const std::string& why) {
  const bool there = folders_.find(definition.number) != folders_.end();
  note("job " + definition.job + " is left out: " + why +
       (there ? "; its folder is kept in damaged/" : ""));
  left_out_.push_back(definition.number);
}

}  // namespace gradmill::coordinator
