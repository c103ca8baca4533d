// Rows: samples of one stream of one device, column by column; and how several sources of them
// become one sequence, ordered and without repeats (docs/spec/series.md, File). Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "server/store/series/column.hpp"

namespace holdfast::series {

struct NamedColumn {
  std::string field;
  Column column;
};

struct Rows {
  Times times;
  std::vector<NamedColumn> columns;

  std::size_t size() const { return times.size(); }
  const Column* find(std::string_view field) const;
};

// Where rows came from. Of two rows that are one, the higher rank wins, then the later arrival.
struct Source {
  Rows rows;
  std::uint32_t rank = 0;
  std::vector<std::uint32_t> arrival;  // one a row; empty: row i has base + i
  std::uint32_t base = 0;

  std::uint64_t priority(std::uint32_t row) const {
    return static_cast<std::uint64_t>(rank) << 32 | (arrival.empty() ? base + row : arrival[row]);
  }
};

// Ordered by time, then by rank and arrival; rows of source `device` with equal times are one.
// Fields come in order of their names.
Rows merge_rows(std::vector<Source> sources);
// Rows [begin, end) with the columns that have a value there.
Rows slice_rows(const Rows& rows, std::size_t begin, std::size_t end);
// Rows whose time lies in [from, to); the times rise.
Rows cut_rows(const Rows& rows, std::int64_t from, std::int64_t to);

}  // namespace holdfast::series
