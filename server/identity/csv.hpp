// Comma-separated values (RFC 4180), as spreadsheets write them: quoted fields, CRLF or LF, a byte order
// mark, empty lines skipped. A line that cannot be read is told by its number; the others still count.
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::identity {

inline constexpr std::size_t kCsvFieldsMax = 32;
inline constexpr std::size_t kCsvFieldBytesMax = 1'024;

struct CsvRow {
  std::size_t line = 0;  // the first of its lines, from 1
  std::vector<std::string> fields;
  std::string error;  // not empty: the fields mean nothing
};

// At most `rows_max` rows; the one after them says that there are more.
std::vector<CsvRow> parse_csv(std::string_view text, std::size_t rows_max);

}  // namespace holdfast::identity
