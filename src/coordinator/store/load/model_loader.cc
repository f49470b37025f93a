#include "coordinator/store/load/model_loader.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "coordinator/store/files/file_identity.h"

namespace gradmill::coordinator {
namespace {

std::string words_for(const ModelVersion& version) {
  return "version " + std::to_string(version.version) + " of the model " + version.model;
}

}  // namespace

void ModelLoader::find() {
  found_ = find_models(paths_);
  for (const std::string& name : found_.aliases) {
    if (auto aliases = read_aliases(paths_, name)) {
      aliases_.emplace(name, std::move(*aliases));
    }
  }
}

std::uint64_t ModelLoader::next_number() const {
  return found_.numbers.empty() ? 1 : found_.numbers.back() + 1;
}

bool ModelLoader::is_behind(const DatabaseContent& content, std::uint64_t next) const {
  std::set<std::uint64_t> known;
  for (const NumberedModel& model : content.models) {
    known.insert(model.number);
  }
  const bool by_aliases = std::any_of(
      aliases_.begin(), aliases_.end(), [&](const auto& one) { return one.second.commit > next; });
  return by_aliases ||
         std::any_of(found_.numbers.begin(), found_.numbers.end(), [&](std::uint64_t number) {
           const auto file = known.contains(number) ? std::nullopt : read_model(paths_, number);
           return file && file->commit > next;
         });
}

void ModelLoader::rebuild(DatabaseContent& content,
                          std::uint64_t& commits,
                          std::vector<std::string>& notes) {
  // The number of a version rises: of two files the later one is not what a deletion left.
  std::map<std::pair<std::string, std::uint32_t>, NumberedModel> newest;
  for (const std::uint64_t number : found_.numbers) {
    if (auto file = read_model(paths_, number)) {
      commits = std::max(commits, file->commit);
      const ModelVersion& version = file->value.version;
      newest[{version.model, version.version}] = std::move(file->value);
    } else {
      notes.push_back("the model in models/" + std::to_string(number) +
                      " is left out: it is damaged; the file is kept in damaged/");
      damaged_.push_back(number);
    }
  }
  for (auto& [key, model] : newest) {
    content.models.push_back(std::move(model));
  }
  for (const auto& [name, aliases] : aliases_) {
    commits = std::max(commits, aliases.commit);
    content.aliases.push_back(aliases.value);
  }
}

void ModelLoader::recover(DatabaseContent& content,
                          std::uint64_t commit,
                          FileBatch& batch,
                          LoadedState& loaded) {
  std::map<std::string, ModelAliases> aliases;
  for (NumberedModel& model : content.models) {
    ModelVersion& version = model.version;
    if (!std::binary_search(found_.numbers.begin(), found_.numbers.end(), model.number)) {
      loaded.state.notes.push_back(words_for(version) + " is left out: its file is missing");
      left_out_.push_back(model.number);
      continue;
    }
    loaded.index.models[{version.model, version.version}] = model.number;
    aliases[version.model].model = version.model;
    loaded.state.models.push_back(std::move(version));
  }
  for (ModelAliases& stored : content.aliases) {
    if (const auto known = aliases.find(stored.model); known != aliases.end()) {
      known->second = std::move(stored);
    }
  }
  for (auto& [model, known] : aliases) {
    const std::string name = aliases_name(model);
    const auto file = aliases_.find(name);
    if (file == aliases_.end() || text_of(file->second.value) != text_of(known)) {
      batch.add(paths_.models() + "/" + name, aliases_content(commit, known));
    }
    loaded.state.aliases.push_back(std::move(known));
  }
}

void ModelLoader::write_rows(Database& database, const LoadedState& loaded, bool rebuilt) const {
  for (const std::uint64_t number : left_out_) {
    database.remove_model(number);
  }
  if (!rebuilt) {
    return;
  }
  for (const ModelVersion& version : loaded.state.models) {
    const NumberedModel model{loaded.index.models.at({version.model, version.version}), version};
    database.put_model(model, text_of(model));
  }
  for (const ModelAliases& aliases : loaded.state.aliases) {
    database.put_aliases(aliases.model, text_of(aliases));
  }
}

void ModelLoader::tidy(const LoadedState& loaded) {
  std::set<std::string> kept;
  for (const auto& [key, number] : loaded.index.models) {
    kept.insert(std::to_string(number));
    kept.insert(aliases_name(key.first));
  }
  for (const std::uint64_t number : damaged_) {
    files_.make_folder(paths_.damaged());
    const std::string name = paths_.damaged() + "/model-" + std::to_string(number);
    files_.rename(model_path(paths_, number), is_there(name) ? free_name(name + "-") : name);
  }
  bool changed = !damaged_.empty();
  const FoundModels found = find_models(paths_);
  std::vector<std::string> names = found.others;
  names.insert(names.end(), found.aliases.begin(), found.aliases.end());
  for (const std::uint64_t number : found.numbers) {
    names.push_back(std::to_string(number));
  }
  for (const std::string& name : names) {
    if (!kept.contains(name)) {
      files_.remove(paths_.models() + "/" + name);
      changed = true;
    }
  }
  if (changed) {
    files_.sync(std::array{paths_.models()});
  }
}

}  // namespace gradmill::coordinator
