#include "coordinator/store/model_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

#include "base/digest.h"
#include "coordinator/store/files/sealed_file.h"

namespace gradmill::coordinator {
namespace {

constexpr std::string_view kAliasesPrefix = "aliases-";
constexpr std::uint64_t kTextBytesMax = std::uint64_t{64} << 20U;
constexpr std::uint64_t kFileBytesMax = std::uint64_t{4} << 30U;

std::optional<std::uint64_t> number_in(const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc{} && end == name.data() + name.size();
  return is_number && std::to_string(number) == name ? std::optional(number) : std::nullopt;
}

}  // namespace

FoundModels find_models(const StatePaths& paths) {
  FoundModels found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(paths.models(), ignored)) {
    const std::string name = entry.path().filename();
    if (const auto number = number_in(name)) {
      found.numbers.push_back(*number);
    } else if (name.starts_with(kAliasesPrefix) && !name.ends_with(kTemporarySuffix)) {
      found.aliases.push_back(name);
    } else {
      found.others.push_back(name);
    }
  }
  std::sort(found.numbers.begin(), found.numbers.end());
  std::sort(found.aliases.begin(), found.aliases.end());
  return found;
}

std::string model_path(const StatePaths& paths, std::uint64_t number) {
  return paths.models() + "/" + std::to_string(number);
}

std::string aliases_name(const std::string& model) {
  return std::string(kAliasesPrefix) + sha256(model).hex();
}

FileContent model_content(std::uint64_t commit, const NumberedModel& model, const Blob& file) {
  FileContent content;
  const std::array<std::string_view, 2> sections = {content.keep(text_of(model)), *file.bytes};
  return seal(FileKind::kModel, commit, sections, std::move(content));
}

std::optional<FromFile<StoredModel>> parse_model(std::string_view bytes, std::uint64_t number) {
  const auto sealed = unseal(bytes, FileKind::kModel, 2);
  if (!sealed) {
    return std::nullopt;
  }
  try {
    FromFile<StoredModel> found{{model_of(sealed->sections[0]), sealed->sections[1]},
                                sealed->commit};
    const NumberedModel& model = found.value.model;
    const bool sound =
        model.number == number && model.version.file.bytes == found.value.file.size();
    return sound ? std::optional(std::move(found)) : std::nullopt;
  } catch (const Damage&) {
    return std::nullopt;
  }
}

std::optional<FromFile<NumberedModel>> read_model(const StatePaths& paths, std::uint64_t number) {
  const auto bytes = read_if_there(model_path(paths, number), kFileBytesMax);
  auto found = bytes ? parse_model(*bytes, number) : std::nullopt;
  return found
             ? std::optional(FromFile<NumberedModel>{std::move(found->value.model), found->commit})
             : std::nullopt;
}

std::optional<Blob> read_model_file(const StatePaths& paths,
                                    std::uint64_t number,
                                    const BlobRef& ref) {
  const auto bytes = read_if_there(model_path(paths, number), ref.bytes + kTextBytesMax);
  const auto found = bytes ? parse_model(*bytes, number) : std::nullopt;
  if (!found) {
    return std::nullopt;
  }
  Blob file = make_blob(std::string(found->value.file));
  return file.ref == ref ? std::optional(std::move(file)) : std::nullopt;
}

FileContent aliases_content(std::uint64_t commit, const ModelAliases& aliases) {
  FileContent content;
  const std::array sections = {content.keep(text_of(aliases))};
  return seal(FileKind::kAliases, commit, sections, std::move(content));
}

std::optional<FromFile<ModelAliases>> parse_aliases(std::string_view bytes) {
  const auto sealed = unseal(bytes, FileKind::kAliases, 1);
  if (!sealed) {
    return std::nullopt;
  }
  try {
    return FromFile<ModelAliases>{aliases_of(sealed->sections[0]), sealed->commit};
  } catch (const Damage&) {
    return std::nullopt;
  }
}

std::optional<FromFile<ModelAliases>> read_aliases(const StatePaths& paths,
                                                   const std::string& name) {
  const auto bytes = read_if_there(paths.models() + "/" + name, kTextBytesMax);
  auto found = bytes ? parse_aliases(*bytes) : std::nullopt;
  return found && aliases_name(found->value.model) == name ? std::move(found) : std::nullopt;
}

}  // namespace gradmill::coordinator
