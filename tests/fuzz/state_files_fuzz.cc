// The input is a byte, which says what is read, and a file of the state folder, or the texts in it:
// few random changes leave checksums right, so files of texts are sealed here. What is accepted is
// the same after writing and reading it.
#include <array>
#include <string>
#include <vector>

#include "coordinator/store/files/sealed_file.h"
#include "coordinator/store/identity.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/model_files.h"
#include "coordinator/store/predicted_files.h"
#include "coordinator/store/texts/prediction_texts.h"
#include "coordinator/store/texts/stored_texts.h"
#include "fuzz/target.h"
#include "ml/topology.h"

namespace gradmill::coordinator {
namespace {

constexpr std::uint64_t kCommit = 7;
constexpr std::uint64_t kJob = 3;

std::string bytes_of(const FileContent& content) {
  std::string bytes;
  for (const std::string_view part : content.parts) {
    bytes += part;
  }
  return bytes;
}

/// Reads a text by `parse`, writes it and reads that.
template <class Parse>
void check_text(std::string_view text, Parse parse) {
  try {
    const std::string written = text_of(parse(text));
    GRADMILL_CHECK(text_of(parse(written)) == written);
  } catch (const Damage&) {  // What most inputs are.
  }
}

const Definition& definition() {
  static const Definition definition = [] {
    auto specification = std::make_shared<JobSpecification>();
    specification->rule.topology.units = {1, 1, 2};
    Definition job;
    job.number = kJob;
    job.job = "fuzz";
    job.specification = std::move(specification);
    return job;
  }();
  return definition;
}

/// A file as it lies on the disk.
void check_file(std::string_view bytes) {
  static_cast<void>(unseal(bytes, FileKind::kIdentity, 1));
  static_cast<void>(parse_definition(bytes));
  static_cast<void>(parse_state(bytes, kJob));
  static_cast<void>(parse_generation(bytes, definition(), 2));
  static_cast<void>(parse_predictions(bytes, kJob, 2));
  static_cast<void>(parse_model(bytes, kJob));
  static_cast<void>(parse_aliases(bytes));
}

/// A weights file of `sections`, whose checksums hold, of a job of six parameters.
void check_generation(std::span<const std::string_view> sections) {
  const std::string bytes = bytes_of(seal(FileKind::kWeights, kCommit, sections));
  const auto found = parse_generation(bytes, definition(), 2);
  if (!found) {
    return;
  }
  const auto& [progress, checkpoint] = found->value;
  const std::string written = bytes_of(weights_file(kCommit, kJob, progress, checkpoint));
  const auto again = parse_generation(written, definition(), 2);
  GRADMILL_CHECK(again.has_value());
  GRADMILL_CHECK(text_of(again->value.progress) == text_of(progress));
  GRADMILL_CHECK(bytes_of(weights_file(
                     kCommit, kJob, again->value.progress, again->value.checkpoint)) == written);
}

/// Sections with an empty line between.
std::vector<std::string_view> sections_of(std::string_view text) {
  constexpr std::string_view kBetween = "\n\n";
  std::vector<std::string_view> sections;
  for (std::size_t end = text.find(kBetween); sections.size() < 4 && end != std::string_view::npos;
       end = text.find(kBetween)) {
    sections.push_back(text.substr(0, end));
    text.remove_prefix(end + kBetween.size());
  }
  sections.push_back(text);
  sections.resize(5);
  return sections;
}

void check_input(std::uint8_t what, std::string_view input) {
  switch (what % 11) {
    case 0:
      return check_file(input);
    case 1:
      return check_text(input, definition_of);
    case 2:
      return check_text(input, progress_of);
    case 3:
      return check_text(input, report_of);
    case 4:
      return check_text(input, tasks_of);
    case 5:
      return check_text(input, event_of);
    case 6:
      return check_text(input, identity_of);
    case 8:
      return check_text(input, model_of);
    case 9:
      return check_text(input, aliases_of);
    case 10:
      return check_text(input, range_of);
    default:
      return check_generation(sections_of(input));
  }
}

}  // namespace
}  // namespace gradmill::coordinator

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = gradmill::fuzz::text_of(data, size);
  const std::uint8_t what = gradmill::fuzz::take_byte(input);
  gradmill::coordinator::check_input(what, input);
  return 0;
}
