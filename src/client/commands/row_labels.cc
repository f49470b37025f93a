#include "client/commands/row_labels.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>

#include "protocol/model_name.h"

namespace gradmill::client {

std::vector<std::uint16_t> classes_of(const std::vector<std::string>& labels,
                                      const ServedModel& model) {
  const auto unknown = static_cast<std::uint16_t>(model.labels.size());
  std::map<std::string_view, std::uint16_t> indices;
  for (std::uint16_t n = 0; n < unknown; ++n) {
    indices.emplace(model.labels[n], n);
  }
  std::vector<std::uint16_t> classes(labels.size(), unknown);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (const auto found = indices.find(labels[row]); found != indices.end()) {
      classes[row] = found->second;
    }
  }
  return classes;
}

std::string unknown_labels_notice(const std::vector<std::string>& labels,
                                  const std::vector<std::uint16_t>& classes,
                                  const ServedModel& model) {
  const auto unknown = static_cast<std::uint16_t>(model.labels.size());
  const auto first = std::find(classes.begin(), classes.end(), unknown);
  if (first == classes.end()) {
    return "";
  }
  const std::ptrdiff_t row = first - classes.begin();
  return "rows with a label that " + version_reference(model.model, model.version) +
         " does not know: " + std::to_string(std::count(first, classes.end(), unknown)) + " of " +
         std::to_string(classes.size()) + ", as row " + std::to_string(row + 1) + " with " +
         quoted_name(labels[static_cast<std::size_t>(row)]) + "; they count as wrong";
}

}  // namespace gradmill::client
