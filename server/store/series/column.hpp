// Columns of a row group and their bytes (docs/spec/series.md, Blocks): the rows' times, and for
// each field the values that are there. What comes out equals what went in, bit by bit. Pure.
//
// Errors: corrupt. Threads: a Compressor is used by one at a time.
#pragma once

#include <string>
#include <vector>

#include "server/store/series/compress.hpp"
#include "server/store/series/reading.hpp"

namespace holdfast::series {

inline constexpr std::size_t kGroupRowsMax = 8'640;
inline constexpr std::size_t kBlockBytesMax = 64 * 1024 * 1024;  // plain

// The times of rows: `other` is what the specification says for each source.
struct Times {
  std::vector<std::int64_t> time;
  std::vector<std::int64_t> other;
  std::vector<std::uint8_t> source;

  std::size_t size() const { return time.size(); }
  void push(std::int64_t at, std::int64_t beside, TimeSource from) {
    time.push_back(at);
    other.push_back(beside);
    source.push_back(static_cast<std::uint8_t>(from));
  }
  bool operator==(const Times&) const = default;
};
std::int64_t other_of(const Sample& sample);

// The values of one column, in row order.
struct Column {
  std::vector<std::uint32_t> rows;  // ascending row numbers; empty: every row has a value
  std::vector<std::uint8_t> kinds;  // Cell::Kind of each value
  std::vector<std::uint64_t> bits;  // int64, f64; for a text its place in `texts`
  std::vector<std::string> texts;

  std::size_t size() const { return kinds.size(); }
  std::uint32_t row(std::size_t i) const {
    return rows.empty() ? static_cast<std::uint32_t>(i) : rows[i];
  }
  void push(std::uint8_t kind, std::uint64_t of, std::string_view text = {});
  Value value(std::size_t i) const;
  unsigned mask() const;  // which kinds occur: bit k for kind k
};

inline constexpr unsigned kMaskIntegers = 1U << 3;
inline constexpr unsigned kMaskDoubles = 1U << 4;
inline constexpr unsigned kMaskNumbers = kMaskIntegers | kMaskDoubles;
inline bool is_number(std::uint8_t kind) {
  return kind == 3 || kind == 4;
}
inline bool is_text(std::uint8_t kind) {
  return kind == 5;
}
double number_of(std::uint8_t kind, std::uint64_t bits);

Bytes encode_times(const Times& times);
Result<Times> decode_times(View block, std::size_t rows);
// Just the point's times, for queries that ask for no more.
Result<std::vector<std::int64_t>> decode_time(View block, std::size_t rows);

Bytes encode_column(const Column& column, std::size_t rows, Compressor& compressor);
Result<Column> decode_column(View block, std::size_t rows, std::size_t values);

}  // namespace holdfast::series
