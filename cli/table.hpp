// Tables: aligned on a terminal, separated by tabs in a pipe. A line never wraps: columns that
// matter least go first, then the last one is cut. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::cli {

struct Column {
  std::string_view title;
  int keep = 5;        // 0 to 9: the lowest goes first when there is no room
  bool right = false;  // numbers
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as columns
};

// With a heading; `width` 0: as wide as it is.
std::string aligned(const Table& table, unsigned width);
// Without a heading; tabs and line breaks in cells become spaces.
std::string tab_separated(const Table& table);
// Control characters become spaces: nothing that came from a device may move the cursor.
std::string printable(std::string_view text);
// The same, but line breaks stay.
std::string printable_lines(std::string_view text);
// Columns of a terminal that UTF-8 text takes, good enough for names: code points.
std::size_t columns_of(std::string_view text);

}  // namespace holdfast::cli
