#include "coordinator/store/commit/needless_files.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

namespace gradmill::coordinator {
namespace {

constexpr std::size_t kGenerations = 2;

void drop_generations(const StatePaths& paths,
                      FileSystem& files,
                      std::uint64_t number,
                      StoreIndex& index) {
  const auto job = std::find_if(index.jobs.begin(), index.jobs.end(), [&](const auto& entry) {
    return entry.second.definition->number == number;
  });
  auto& rounds = index.generations[number];
  while (rounds.size() > kGenerations) {
    files.remove(weights_path(paths.job_folder(*job->second.definition), *rounds.begin()));
    rounds.erase(rounds.begin());
  }
}

void drop_folder(FileSystem& files, const std::string& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    names.push_back(entry.path());
  }
  for (const std::string& name : names) {
    files.remove(name);
  }
  files.remove(folder);
}

}  // namespace

void drop_needless(const StatePaths& paths,
                   FileSystem& files,
                   const CommitPlan& plan,
                   StoreIndex& index) {
  try {
    for (const auto& [number, round] : plan.generations()) {
      drop_generations(paths, files, number, index);
    }
    for (const Definition& definition : plan.removed()) {
      drop_folder(files, paths.job_folder(definition));
    }
    for (const std::string& file : plan.models().needless()) {
      files.remove(file);
    }
  } catch (const std::system_error&) {
    return;  // The folder is sound, and client gc finds what is left.
  }
}

bool drop_spare_generations(const StatePaths& paths,
                            FileSystem& files,
                            std::span<const Record> records,
                            StoreIndex& index) {
  bool dropped = false;
  for (const Record& record : records) {
    const auto* const round = std::get_if<RoundFinished>(&record);
    const auto job = round == nullptr ? index.jobs.end() : index.jobs.find(round->job);
    if (job == index.jobs.end()) {
      continue;
    }
    const StoreEntry& entry = job->second;
    auto& rounds = index.generations[entry.definition->number];
    while (!rounds.empty() && *rounds.begin() < entry.progress.round) {
      files.remove(weights_path(paths.job_folder(*entry.definition), *rounds.begin()));
      rounds.erase(rounds.begin());
      dropped = true;
    }
  }
  return dropped;
}

}  // namespace gradmill::coordinator
