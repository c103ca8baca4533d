#include "server/store/chart/lines.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace holdfast::chart {
namespace {

std::optional<double> number_in(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

bool is_null(const Value& value) {
  return std::holds_alternative<std::monostate>(value);
}

// -inf where there is no number.
double mean_of(const Line& line) {
  double sum = 0;
  std::size_t count = 0;
  for (const Value& cell : line.cells) {
    const auto number = number_in(cell);
    if (!number || std::isnan(*number)) continue;
    sum += *number;
    ++count;
  }
  return count == 0 ? -INFINITY : sum / static_cast<double>(count);
}

void draw(Line& line, std::size_t begin, std::size_t end) {
  if (begin == 0 || end == line.cells.size()) return;
  const auto a = number_in(line.cells[begin - 1]);
  const auto b = number_in(line.cells[end]);
  if (!a || !b) return;
  const double steps = static_cast<double>(end - begin + 1);
  for (std::size_t i = begin; i < end; ++i) {
    const double part = static_cast<double>(i - begin + 1) / steps;
    line.cells[i] = *a * (1 - part) + *b * part;
  }
}

}  // namespace

std::optional<Fill> fill_named(std::string_view name) {
  constexpr std::array<std::string_view, 4> kFills{"none", "null", "previous", "linear"};
  const auto at = std::ranges::find(kFills, name);
  if (at == kFills.end()) return std::nullopt;
  return static_cast<Fill>(at - kFills.begin());
}

std::size_t Grid::size() const {
  if (from_us >= to_us) return 0;
  return static_cast<std::size_t>((to_us - start(0) + length_us - 1) / length_us);
}

Line make_line(const Grid& grid, const std::vector<Bucket>& buckets, const Function& function) {
  Line line;
  line.function = function;
  line.cells.resize(grid.size());
  for (const Bucket& bucket : buckets) {
    const std::int64_t at = (bucket.start.us - grid.start(0)) / grid.length_us;
    if (at < 0 || static_cast<std::size_t>(at) >= line.cells.size()) continue;
    line.cells[static_cast<std::size_t>(at)] = value_of(bucket, function);
    if (function.kind == Function::Kind::quantile && bucket.quantiles)
      line.error = std::max(line.error, bucket.quantiles->error());
  }
  for (std::size_t i = 0; i < line.cells.size(); ++i) {
    if (!is_null(line.cells[i])) {
      ++line.measured;
    } else if (!line.gaps.empty() && line.gaps.back().second == i) {
      ++line.gaps.back().second;
    } else {
      line.gaps.emplace_back(i, i + 1);
    }
  }
  return line;
}

void fill_line(Line& line, Fill fill) {
  for (const auto& [begin, end] : line.gaps) {
    if (fill == Fill::linear) draw(line, begin, end);
    if (fill != Fill::previous || begin == 0) continue;
    for (std::size_t i = begin; i < end; ++i) line.cells[i] = line.cells[begin - 1];
  }
}

std::vector<std::size_t> used_starts(const std::vector<Line>& lines, std::size_t size) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < size; ++i) {
    if (std::ranges::any_of(lines, [&](const Line& line) { return !is_null(line.cells[i]); }))
      out.push_back(i);
  }
  return out;
}

std::size_t keep_top(std::vector<Line>& lines, std::size_t count) {
  struct Ranked {
    double mean;
    std::size_t place;
  };
  using Kind = std::tuple<std::string, std::string>;
  std::vector<std::pair<Kind, std::vector<Ranked>>> kinds;  // in the order in which they came
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Kind kind{lines[i].metric, name_of(lines[i].function)};
    auto at = std::ranges::find(kinds, kind, &std::pair<Kind, std::vector<Ranked>>::first);
    if (at == kinds.end()) at = kinds.insert(kinds.end(), {kind, {}});
    at->second.push_back({mean_of(lines[i]), i});
  }
  std::vector<Line> kept;
  for (auto& [kind, ranked] : kinds) {
    std::ranges::sort(ranked, [](const Ranked& a, const Ranked& b) {
      return a.mean != b.mean ? a.mean > b.mean : a.place < b.place;
    });
    for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i)
      kept.push_back(std::move(lines[ranked[i].place]));
  }
  const std::size_t left_out = lines.size() - kept.size();
  lines = std::move(kept);
  return left_out;
}

}  // namespace holdfast::chart
