#include "coordinator/store/commit/model_plan.h"

#include <set>

#include "coordinator/store/model_files.h"

namespace gradmill::coordinator {

std::optional<std::uint64_t> ModelPlan::number_of(const Key& key) const {
  if (const auto touched = touched_.find(key); touched != touched_.end()) {
    return touched->second;
  }
  const auto stored = index_.models.find(key);
  return stored == index_.models.end() ? std::nullopt : std::optional(stored->second);
}

void ModelPlan::apply(const ModelAdded& record, std::uint64_t& next_number) {
  const Key key{record.version.model, record.version.version};
  if (number_of(key)) {
    return;
  }
  const NumberedModel model{next_number++, record.version};
  touched_[key] = model.number;
  added_[model.number] = &record;
  rows_.emplace_back(
      [model, text = text_of(model)](Database& database) { database.put_model(model, text); });
}

void ModelPlan::apply(const ModelAliases& record) {
  aliases_[record.model] = &record;
  rows_.emplace_back(
      [&record](Database& database) { database.put_aliases(record.model, text_of(record)); });
}

void ModelPlan::apply(const ModelRemoved& record) {
  if (record.version > 0) {
    remove({record.model, record.version});
    return;
  }
  std::set<Key> keys;
  for (const auto& [key, number] : index_.models) {
    keys.insert(key);
  }
  for (const auto& [key, number] : touched_) {
    keys.insert(key);
  }
  for (const Key& key : keys) {
    if (key.first == record.model) {
      remove(key);
    }
  }
  aliases_[record.model] = nullptr;
  rows_.emplace_back([&record](Database& database) { database.remove_aliases(record.model); });
}

void ModelPlan::remove(const Key& key) {
  if (const std::optional<std::uint64_t> number = number_of(key)) {
    added_.erase(*number);
    removed_.push_back(*number);
    touched_[key] = std::nullopt;
    rows_.emplace_back([number](Database& database) { database.remove_model(*number); });
  }
}

void ModelPlan::gather_files(FileBatch& batch, std::uint64_t commit) const {
  for (const auto& [number, record] : added_) {
    batch.add(model_path(paths_, number),
              model_content(commit, {number, record->version}, record->file));
  }
  for (const auto& [model, record] : aliases_) {
    if (record != nullptr) {
      batch.add(paths_.models() + "/" + aliases_name(model), aliases_content(commit, *record));
    }
  }
}

void ModelPlan::write_rows(Database& database) const {
  for (const auto& change : rows_) {
    change(database);
  }
}

void ModelPlan::update(StoreIndex& index) const {
  for (const auto& [key, number] : touched_) {
    if (number) {
      index.models[key] = *number;
    } else {
      index.models.erase(key);
    }
  }
}

std::vector<std::string> ModelPlan::needless() const {
  std::vector<std::string> files;
  for (const std::uint64_t number : removed_) {
    files.push_back(model_path(paths_, number));
  }
  for (const auto& [model, record] : aliases_) {
    if (record == nullptr) {
      files.push_back(paths_.models() + "/" + aliases_name(model));
    }
  }
  return files;
}

}  // namespace gradmill::coordinator
