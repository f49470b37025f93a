#include "client/commands/data_folder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/durable_file.h"
#include "base/error.h"
#include "formats/csv.h"
#include "formats/natural_order.h"
#include "formats/shard_blob.h"

namespace gradmill::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = std::size_t{4} << 30U;

/// Names of the folder's files that start with `prefix` and end with .txt, in natural order.
std::vector<std::string> list_files(const std::string& folder, const std::string& prefix) {
  std::error_code failure;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".txt")) {
      names.push_back(name);
    }
  }
  if (failure) {
    throw invalid_input(folder + ": cannot be read as a folder: " + failure.message());
  }
  if (names.empty()) {
    throw invalid_input(folder + ": has no file called " + prefix + "*.txt");
  }
  std::sort(names.begin(), names.end(), formats::natural_less);
  return names;
}

ml::Shard read_shard(const std::string& folder,
                     const std::string& name,
                     const formats::CsvExpectation& expectation) {
  const std::string path = (fs::path(folder) / name).string();
  return formats::parse_csv(read_file(path, kFileBytesMax), path, expectation);
}

}  // namespace

DataSet read_data_folder(const std::string& folder, std::optional<std::uint32_t> classes) {
  const std::vector<std::string> training = list_files(folder, "train_");
  const std::vector<std::string> validation = list_files(folder, "validate_");
  DataSet data;
  formats::CsvExpectation expectation;
  if (classes) {
    expectation.classes = classes;
    expectation.classes_from = "--classes " + std::to_string(*classes);
  }
  const auto take = [&](const std::string& name) {
    const ml::Shard shard = read_shard(folder, name, expectation);
    if (!expectation.features) {
      expectation.features = data.features = shard.features;
      expectation.features_from = name;
    }
    data.classes = std::max(data.classes, shard.classes);
    return DataFile{name, make_blob(formats::encode_shard(shard))};
  };
  for (const std::string& name : training) {
    data.training.push_back(take(name));
  }
  if (classes) {
    data.classes = *classes;
  } else {
    expectation.classes = data.classes;
    expectation.classes_from = "no training file has it; --classes N makes room";
  }
  for (const std::string& name : validation) {
    data.validation.push_back(take(name));
  }
  return data;
}

}  // namespace gradmill::client
