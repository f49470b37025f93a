#include "coordinator/store/job_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/durable_file.h"
#include "base/error.h"
#include "coordinator/store/files/sealed_file.h"
#include "ml/topology.h"

namespace gradmill::coordinator {
namespace {

constexpr std::string_view kWeightsPrefix = "weights-";
// Far above that of a job with as many shards as are allowed and the longest messages.
constexpr std::uint64_t kTextBytesMax = std::uint64_t{64} << 20U;

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return number;
}

void find_files(FoundJob& job) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(job.path, ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kWeightsPrefix)) {
      if (const auto round =
              number_in<std::uint32_t>(std::string_view(name).substr(kWeightsPrefix.size()))) {
        job.generations.insert(*round);
      }
    } else if (const auto first_row = first_row_in(name)) {
      const std::uintmax_t bytes = entry.file_size(ignored);
      job.predicted[*first_row] = ignored ? 0 : bytes;
    }
  }
}

/// Those of the model file, in a prediction job.
std::uint64_t weights_bytes_of(const JobSpecification& job) {
  return job.prediction
             ? job.prediction->model.file.bytes
             : ml::parameter_count(job.rule.topology) * ml::element_bytes(job.rule.precision);
}

std::string_view bytes_of(const std::vector<double>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)};
}

/// The doubles in `bytes`: none, or `count`.
std::optional<std::vector<double>> doubles_in(std::string_view bytes, std::uint64_t count) {
  if (!bytes.empty() && bytes.size() != count * sizeof(double)) {
    return std::nullopt;
  }
  std::vector<double> numbers(bytes.size() / sizeof(double));
  if (!bytes.empty()) {
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
  }
  return numbers;
}

/// What a file says that has one text alone.
template <class Parse>
auto parse_text(std::string_view bytes, FileKind kind, Parse parse)
    -> std::optional<FromFile<decltype(parse(std::string_view{}))>> {
  const auto sealed = unseal(bytes, kind, 1);
  if (!sealed) {
    return std::nullopt;
  }
  try {
    return FromFile<decltype(parse(std::string_view{}))>{parse(sealed->sections[0]),
                                                         sealed->commit};
  } catch (const Damage&) {
    return std::nullopt;
  }
}

Blob blob_of(const BlobRef& ref, std::string_view bytes) {
  return {ref, std::make_shared<const std::string>(bytes)};
}

}  // namespace

std::string StatePaths::at(std::string_view name) const { return root_ + "/" + std::string(name); }

std::string StatePaths::shard(const Digest& digest) const { return shards() + "/" + digest.hex(); }

std::string StatePaths::job_folder(const Definition& definition) const {
  return jobs() + "/" + std::to_string(definition.number) + "-" + definition.job;
}

std::vector<FoundJob> find_jobs(const StatePaths& paths) {
  std::vector<FoundJob> found;
  for (const auto& entry : std::filesystem::directory_iterator(paths.jobs())) {
    const std::string name = entry.path().filename();
    const std::size_t dash = name.find('-');
    const auto number = dash == std::string::npos
                            ? std::nullopt
                            : number_in<std::uint64_t>(std::string_view(name).substr(0, dash));
    if (number && entry.is_directory() && !entry.is_symlink()) {
      find_files(found.emplace_back(FoundJob{*number, name, entry.path(), {}, {}}));
    }
  }
  std::sort(found.begin(), found.end(), [](const FoundJob& a, const FoundJob& b) {
    return std::pair(a.number, a.name) < std::pair(b.number, b.name);
  });
  return found;
}

std::string definition_path(const std::string& folder) { return folder + "/job"; }
std::string state_path(const std::string& folder) { return folder + "/state"; }
std::string weights_path(const std::string& folder, std::uint32_t round) {
  return folder + "/" + std::string(kWeightsPrefix) + std::to_string(round);
}

std::optional<std::uint64_t> first_row_in(std::string_view name) {
  return name.starts_with(kPredictionsPrefix)
             ? number_in<std::uint64_t>(name.substr(kPredictionsPrefix.size()))
             : std::nullopt;
}

std::optional<std::string> read_if_there(const std::string& path, std::uint64_t bytes_max) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  const bool is_file = std::filesystem::is_regular_file(status);
  if (!is_file || std::filesystem::file_size(path, failure) > bytes_max) {
    return std::nullopt;
  }
  // What cannot be read now may be well: taking it for damaged would throw good rounds away.
  return read_file(path, bytes_max);
}

std::string numbered(std::uint64_t number, const Progress& progress) {
  return std::to_string(number) + "\n" + text_of(progress);
}

Progress progress_of_job(std::uint64_t number, std::string_view text) {
  const std::string start = std::to_string(number) + "\n";
  if (!text.starts_with(start)) {
    throw Damage("of another job");
  }
  return progress_of(text.substr(start.size()));
}

FileContent definition_file(std::uint64_t commit, std::string text) {
  FileContent content;
  const std::array sections = {content.keep(std::move(text))};
  return seal(FileKind::kJob, commit, sections, std::move(content));
}

std::optional<FromFile<Definition>> parse_definition(std::string_view bytes) {
  return parse_text(bytes, FileKind::kJob, definition_of);
}

std::optional<FromFile<Definition>> read_definition(const std::string& folder) {
  const auto bytes = read_if_there(definition_path(folder), kTextBytesMax);
  return bytes ? parse_definition(*bytes) : std::nullopt;
}

FileContent state_file(std::uint64_t commit, std::uint64_t number, const Progress& progress) {
  FileContent content;
  const std::array sections = {content.keep(numbered(number, progress))};
  return seal(FileKind::kState, commit, sections, std::move(content));
}

std::optional<FromFile<Progress>> parse_state(std::string_view bytes, std::uint64_t number) {
  return parse_text(bytes, FileKind::kState, [&](std::string_view text) {
    return progress_of_job(number, text);
  });
}

std::optional<FromFile<Progress>> read_state(const std::string& folder, std::uint64_t number) {
  const auto bytes = read_if_there(state_path(folder), kTextBytesMax);
  return bytes ? parse_state(*bytes, number) : std::nullopt;
}

FileContent weights_file(std::uint64_t commit,
                         std::uint64_t number,
                         const Progress& progress,
                         const Checkpoint& checkpoint) {
  FileContent content;
  const bool has_best = checkpoint.best_round > 0 && checkpoint.best_round != checkpoint.round;
  const std::array<std::string_view, 5> sections = {
      content.keep(numbered(number, progress)),
      *checkpoint.weights.bytes,
      bytes_of(checkpoint.server->first),
      bytes_of(checkpoint.server->second),
      has_best ? std::string_view(*checkpoint.best_weights.bytes) : std::string_view{}};
  return seal(FileKind::kWeights, commit, sections, std::move(content));
}

std::optional<FromFile<Generation>> read_generation(const std::string& folder,
                                                    const Definition& definition,
                                                    std::uint32_t round) {
  const std::uint64_t count = ml::parameter_count(definition.specification->rule.topology);
  const std::uint64_t weights_bytes = weights_bytes_of(*definition.specification);
  const std::uint64_t bytes_max = 2 * weights_bytes + 2 * count * sizeof(double) + kTextBytesMax;
  const auto bytes = read_if_there(weights_path(folder, round), bytes_max);
  return bytes ? parse_generation(*bytes, definition, round) : std::nullopt;
}

std::optional<FromFile<Generation>> parse_generation(std::string_view bytes,
                                                     const Definition& definition,
                                                     std::uint32_t round) {
  const std::uint64_t count = ml::parameter_count(definition.specification->rule.topology);
  const std::uint64_t weights_bytes = weights_bytes_of(*definition.specification);
  const auto sealed = unseal(bytes, FileKind::kWeights, 5);
  if (!sealed) {
    return std::nullopt;
  }
  FromFile<Generation> found;
  found.commit = sealed->commit;
  Progress& progress = found.value.progress;
  try {
    progress = progress_of_job(definition.number, sealed->sections[0]);
  } catch (const Damage&) {
    return std::nullopt;
  }
  const bool has_best = progress.best_round > 0 && progress.best_round != round;
  auto first = doubles_in(sealed->sections[2], count);
  auto second = doubles_in(sealed->sections[3], count);
  if (progress.round != round || sealed->sections[1].size() != weights_bytes ||
      sealed->sections[4].size() != (has_best ? weights_bytes : 0) || !first || !second) {
    return std::nullopt;
  }
  Checkpoint& checkpoint = found.value.checkpoint;
  checkpoint.round = round;
  checkpoint.weights = blob_of(progress.weights, sealed->sections[1]);
  checkpoint.server = std::make_shared<const ml::ServerState>(
      ml::ServerState{std::move(*first), std::move(*second)});
  checkpoint.best_round = progress.best_round;
  checkpoint.best_error = progress.best_error;
  checkpoint.exact = progress.exact;
  if (progress.best_round > 0) {
    checkpoint.best_weights =
        has_best ? blob_of(progress.best_weights, sealed->sections[4]) : checkpoint.weights;
  }
  return found;
}

}  // namespace gradmill::coordinator
