#include "client/report/table.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "base/check.h"

namespace gradmill::client {

std::string shown(const std::string& text) {
  std::string fit = text;
  std::replace_if(
      fit.begin(),
      fit.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      '?');
  return fit;
}

void Table::add(std::vector<std::string> cells) {
  GRADMILL_CHECK(cells.size() == columns_.size());
  for (std::string& cell : cells) {
    cell = cell.empty() ? "-" : shown(cell);
  }
  rows_.push_back(std::move(cells));
}

void Table::write(std::ostream& to) const {
  std::vector<std::string> header;
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) {
    header.push_back(column.header);
    widths.push_back(column.header.size());
  }
  for (const auto& row : rows_) {
    for (std::size_t n = 0; n < row.size(); ++n) {
      widths[n] = std::max(widths[n], row[n].size());
    }
  }
  std::string text = line(header, widths);
  for (const auto& row : rows_) {
    text += line(row, widths);
  }
  to << text << std::flush;
}

std::string Table::line(const std::vector<std::string>& cells,
                        const std::vector<std::size_t>& widths) const {
  std::string text;
  for (std::size_t n = 0; n < cells.size(); ++n) {
    const std::string blanks(widths[n] - cells[n].size(), ' ');
    text += n == 0 ? "" : "  ";
    text += columns_[n].align == Align::kRight ? blanks + cells[n] : cells[n] + blanks;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + '\n';
}

}  // namespace gradmill::client
