#include "server/store/chart/lines.hpp"

#include <gtest/gtest.h>

namespace holdfast::chart {
namespace {

constexpr Grid kGrid{0, 100, 10};
const Function kMean{};

std::vector<Bucket> buckets_at(const std::vector<std::pair<std::int64_t, double>>& means) {
  Bucketer into(10, false, false);
  for (const auto& [start, mean] : means) into.add(start, mean);
  return std::move(into.buckets);
}

std::vector<std::optional<double>> numbers(const Line& line) {
  std::vector<std::optional<double>> out;
  for (const Value& cell : line.cells) {
    const auto* number = std::get_if<double>(&cell);
    out.push_back(number != nullptr ? std::optional(*number) : std::nullopt);
  }
  return out;
}

TEST(Grid, CoversItsRangeFromTheStartOfABucket) {
  EXPECT_EQ(kGrid.size(), 10U);
  const Grid odd{15, 21, 10};
  EXPECT_EQ(odd.start(0), 10);
  EXPECT_EQ(odd.size(), 2U);
  EXPECT_EQ((Grid{5, 5, 10}.size()), 0U);
}

TEST(Lines, FillSaysWhatStandsInGaps) {
  const auto made = make_line(kGrid, buckets_at({{10, 1}, {20, 2}, {50, 5}, {80, 8}}), kMean);
  EXPECT_EQ(made.measured, 4U);
  EXPECT_EQ(made.gaps,
            (std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {3, 5}, {6, 8}, {9, 10}}));
  constexpr auto nothing = std::nullopt;
  using Numbers = std::vector<std::optional<double>>;
  EXPECT_EQ(numbers(made),
            (Numbers{nothing, 1, 2, nothing, nothing, 5, nothing, nothing, 8, nothing}));
  Line previous = made;
  fill_line(previous, Fill::previous);
  EXPECT_EQ(numbers(previous), (Numbers{nothing, 1, 2, 2, 2, 5, 5, 5, 8, 8}));
  Line linear = made;
  fill_line(linear, Fill::linear);
  EXPECT_EQ(numbers(linear), (Numbers{nothing, 1, 2, 3, 4, 5, 6, 7, 8, nothing}));
  EXPECT_EQ(linear.gaps, made.gaps) << "what was filled is not called measured";
  EXPECT_EQ(used_starts({made}, 10), (std::vector<std::size_t>{1, 2, 5, 8}));
}

TEST(Lines, OfTextsAreFilledWithThePreviousOnly) {
  Bucketer into(10, false, false);
  into.add(10, std::string("open"));
  into.add(40, std::string("shut"));
  const Line made = make_line(kGrid, into.buckets, *function_named("last"));
  Line linear = made;
  fill_line(linear, Fill::linear);
  EXPECT_EQ(linear.cells, made.cells);
  Line previous = made;
  fill_line(previous, Fill::previous);
  EXPECT_EQ(previous.cells[3], Value(std::string("open")));
  EXPECT_EQ(previous.cells[9], Value(std::string("shut")));
}

TEST(Lines, TopKeepsTheHighestOfEachMetricAndFunction) {
  std::vector<Line> lines;
  for (int i = 0; i < 5; ++i) {
    for (const char* metric : {"a.x", "a.y"}) {
      lines.push_back(make_line(kGrid, buckets_at({{0, metric[2] == 'x' ? i : -i}}), kMean));
      lines.back().of = "d" + std::to_string(i);
      lines.back().metric = metric;
    }
  }
  lines.push_back(make_line(kGrid, {}, kMean));
  lines.back().metric = "a.x";
  EXPECT_EQ(keep_top(lines, 2), 7U);
  std::vector<std::string> kept;
  for (const Line& line : lines) kept.push_back(line.metric + " " + line.of);
  EXPECT_EQ(kept, (std::vector<std::string>{"a.x d4", "a.x d3", "a.y d0", "a.y d1"}));
}

}  // namespace
}  // namespace holdfast::chart
