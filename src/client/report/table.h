// Aligned columns for people.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <vector>

namespace gradmill::client {

/// `text` fit for a terminal: control characters are replaced.
[[nodiscard]] std::string shown(const std::string& text);

/// A table with a header. Not thread-safe.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string header;
    Align align = Align::kLeft;
  };

  Table(std::initializer_list<Column> columns) : columns_(columns) {}

  /// One cell a column; an empty one is shown as a dash.
  void add(std::vector<std::string> cells);
  /// Two blanks between columns, none at the ends of lines.
  void write(std::ostream& to) const;

 private:
  [[nodiscard]] std::string line(const std::vector<std::string>& cells,
                                 const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace gradmill::client
