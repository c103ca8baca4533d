// Lines: buckets of several devices, groups and metrics on one grid of starts, so that they can be
// drawn and compared side by side. Values; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/chart/bucket.hpp"

namespace holdfast::chart {

// What stands where no point was measured.
enum class Fill {
  none,      // starts at which no line has a value are left out; else null
  null,      // every start is there
  previous,  // the value before, if there is one
  linear,    // between two numbers in proportion; else null
};
std::optional<Fill> fill_named(std::string_view name);

struct Grid {
  std::int64_t from_us = 0, to_us = 0, length_us = 1;
  std::int64_t start(std::size_t i) const {
    return bucket_start(from_us, length_us) + static_cast<std::int64_t>(i) * length_us;
  }
  std::size_t size() const;
};

struct Line {
  std::string of;  // device or group
  std::string metric;
  Function function;
  std::vector<Value> cells;                               // one a start
  std::vector<std::pair<std::size_t, std::size_t>> gaps;  // [begin, end) of cells not measured
  std::uint64_t measured = 0;                             // cells
  double error = 0;                                       // of percentiles, relative; 0: exact
};

// A line of one function of one metric's buckets, which are ordered and lie on the grid.
Line make_line(const Grid& grid, const std::vector<Bucket>& buckets, const Function& function);
void fill_line(Line& line, Fill fill);
// Starts at which some line has a value.
std::vector<std::size_t> used_starts(const std::vector<Line>& lines, std::size_t size);

// Keeps the `count` lines of each metric and function with the highest mean of their cells, the
// highest first; lines without numbers come last. Answers how many were left out.
std::size_t keep_top(std::vector<Line>& lines, std::size_t count);

}  // namespace holdfast::chart
