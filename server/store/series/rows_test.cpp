#include "server/store/series/rows.hpp"

#include <gtest/gtest.h>

#include <map>

#include "libs/os/sim/random.hpp"

namespace holdfast::series {
namespace {

struct Given {
  std::int64_t time;
  TimeSource source;
  std::vector<std::pair<std::string, std::int64_t>> values;
};

// A source whose columns have gaps where a row gives no value.
Source source_of(const std::vector<Given>& rows, std::uint32_t rank = 0) {
  Source out;
  out.rank = rank;
  std::map<std::string, Column> columns;
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    out.rows.times.push(rows[row].time, rows[row].time + 1, rows[row].source);
    for (const auto& [field, value] : rows[row].values) {
      columns[field].push(3, static_cast<std::uint64_t>(value));
      columns[field].rows.push_back(row);
    }
  }
  for (auto& [field, column] : columns) {
    if (column.rows.size() == rows.size()) column.rows.clear();
    out.rows.columns.push_back({field, std::move(column)});
  }
  return out;
}

// "time:value" of one column, in order of rows.
std::vector<std::string> points(const Rows& rows, std::string_view field) {
  std::vector<std::string> out;
  const Column* column = rows.find(field);
  if (column == nullptr) return out;
  for (std::size_t i = 0; i < column->size(); ++i) {
    out.push_back(std::to_string(rows.times.time[column->row(i)]) + ":" +
                  wire::value_text(column->value(i)));
  }
  return out;
}

using Texts = std::vector<std::string>;
constexpr TimeSource kDevice = TimeSource::device;
constexpr TimeSource kServer = TimeSource::server;

Rows merged(std::vector<Source> sources) {
  return merge_rows(std::move(sources));
}

TEST(MergeRows, NothingIsNothing) {
  EXPECT_EQ(merged({}).size(), 0U);
  EXPECT_EQ(merged({source_of({})}).size(), 0U);
}

TEST(MergeRows, OneOrderedSourcePassesThrough) {
  const Rows rows =
      merged({source_of({{1, kDevice, {{"b", 10}, {"a", 20}}}, {2, kDevice, {{"b", 11}}}})});
  EXPECT_EQ(points(rows, "b"), (Texts{"1:10", "2:11"}));
  EXPECT_EQ(points(rows, "a"), (Texts{"1:20"}));
  ASSERT_EQ(rows.columns.size(), 2U);
  EXPECT_EQ(rows.columns[0].field, "a") << "fields come in order";
}

TEST(MergeRows, RowsAreSortedByTime) {
  const Rows rows = merged(
      {source_of({{5, kDevice, {{"a", 5}}}, {1, kDevice, {{"a", 1}}}, {3, kDevice, {{"a", 3}}}})});
  EXPECT_EQ(points(rows, "a"), (Texts{"1:1", "3:3", "5:5"}));
}

TEST(MergeRows, TheSameDeviceTimeIsOneRowAndTheLaterWriteWins) {
  const Rows rows =
      merged({source_of({{1, kDevice, {{"a", 1}, {"b", 1}}}, {1, kDevice, {{"a", 2}}}})});
  EXPECT_EQ(rows.size(), 1U);
  EXPECT_EQ(points(rows, "a"), Texts{"1:2"});
  EXPECT_EQ(points(rows, "b"), Texts{"1:1"});
}

TEST(MergeRows, TheHigherRankWinsWhateverTheOrderOfSources) {
  const Source old = source_of({{1, kDevice, {{"a", 1}}}}, 1);
  const Source fresh = source_of({{1, kDevice, {{"a", 2}}}}, 2);
  EXPECT_EQ(points(merged({old, fresh}), "a"), Texts{"1:2"});
  EXPECT_EQ(points(merged({fresh, old}), "a"), Texts{"1:2"});
  EXPECT_EQ(merged({fresh, old}).times.other[0], 2) << "its other time too";
}

TEST(MergeRows, ArrivalDecidesWithinARank) {
  Source first = source_of({{1, kDevice, {{"a", 1}}}, {2, kDevice, {{"a", 1}}}});
  Source second = source_of({{1, kDevice, {{"a", 2}}}, {2, kDevice, {{"a", 2}}}});
  first.arrival = {10, 40};
  second.arrival = {20, 30};
  EXPECT_EQ(points(merged({first, second}), "a"), (Texts{"1:2", "2:1"}));
  first.arrival.clear();
  second.arrival.clear();
  second.base = 100;
  EXPECT_EQ(points(merged({second, first}), "a"), (Texts{"1:2", "2:2"}));
}

TEST(MergeRows, ServerTimesNeverBecomeOne) {
  const Rows rows = merged({source_of({{1, kServer, {{"a", 1}}}, {1, kServer, {{"a", 2}}}}),
                            source_of({{1, kServer, {{"a", 3}}}}, 1)});
  EXPECT_EQ(points(rows, "a"), (Texts{"1:1", "1:2", "1:3"}));
}

TEST(MergeRows, DeviceAndServerTimesMayBeEqual) {
  const Rows rows = merged(
      {source_of({{1, kDevice, {{"a", 1}}}, {1, kServer, {{"a", 2}}}, {1, kDevice, {{"a", 3}}}})});
  EXPECT_EQ(points(rows, "a"), (Texts{"1:3", "1:2"}));
}

TEST(MergeRows, TextsMoveWithTheirRows) {
  Source source = source_of({{2, kDevice, {}}, {1, kDevice, {}}});
  Column column;
  column.push(5, 0, "second");
  column.push(5, 0, "first");
  source.rows.columns.push_back({"t", column});
  EXPECT_EQ(points(merged({source}), "t"), (Texts{"1:\"first\"", "2:\"second\""}));
}

TEST(SliceRows, KeepsColumnsThatHaveAValueThere) {
  const Rows rows = merged({source_of(
      {{1, kDevice, {{"a", 1}}}, {2, kDevice, {{"a", 2}, {"b", 9}}}, {3, kDevice, {{"a", 3}}}})});
  const Rows part = slice_rows(rows, 1, 3);
  EXPECT_EQ(points(part, "a"), (Texts{"2:2", "3:3"}));
  EXPECT_EQ(points(part, "b"), Texts{"2:9"});
  EXPECT_TRUE(part.find("a")->rows.empty()) << "every row has one";
  EXPECT_EQ(slice_rows(rows, 0, 1).columns.size(), 1U);
  EXPECT_EQ(slice_rows(rows, 1, 1).size(), 0U);
}

TEST(CutRows, IsHalfOpen) {
  const Rows rows = merged(
      {source_of({{1, kDevice, {{"a", 1}}}, {2, kDevice, {{"a", 2}}}, {3, kDevice, {{"a", 3}}}})});
  EXPECT_EQ(points(cut_rows(rows, 1, 3), "a"), (Texts{"1:1", "2:2"}));
  EXPECT_EQ(cut_rows(rows, 4, 9).size(), 0U);
  EXPECT_EQ(cut_rows(rows, 3, 1).size(), 0U);
  EXPECT_EQ(cut_rows(rows, INT64_MIN, INT64_MAX).size(), 3U);
}

// Against the plainest way: a map of device times, a list of the rest.
TEST(MergeRows, AgreesWithAMapOnRandomSources) {
  os::sim::Random random(9);
  for (int round = 0; round < 300; ++round) {
    std::vector<Source> sources;
    std::map<std::pair<std::int64_t, std::string>, std::int64_t> dated;
    std::size_t others = 0;
    for (std::uint32_t rank = 0; rank < 1 + random.below(4); ++rank) {
      std::vector<Given> rows;
      for (std::uint64_t i = 0; i < random.below(30); ++i) {
        Given row{
            static_cast<std::int64_t>(random.below(20)), random.chance(70) ? kDevice : kServer, {}};
        for (const char* field : {"a", "b"}) {
          if (random.chance(60))
            row.values.emplace_back(field, static_cast<std::int64_t>(random.below(1000)));
        }
        for (const auto& [field, value] : row.values) {
          if (row.source == kDevice) {
            dated[{row.time, field}] = value;
          } else {
            ++others;
          }
        }
        rows.push_back(std::move(row));
      }
      sources.push_back(source_of(rows, rank));
    }
    const Rows rows = merge_rows(std::move(sources));
    EXPECT_TRUE(std::ranges::is_sorted(rows.times.time));
    std::size_t seen_dated = 0;
    std::size_t seen_others = 0;
    for (const NamedColumn& named : rows.columns) {
      for (std::size_t i = 0; i < named.column.size(); ++i) {
        const std::uint32_t row = named.column.row(i);
        if (rows.times.source[row] != static_cast<std::uint8_t>(kDevice)) {
          ++seen_others;
          continue;
        }
        ++seen_dated;
        EXPECT_EQ(std::get<std::int64_t>(named.column.value(i)),
                  (dated.at({rows.times.time[row], named.field})));
      }
    }
    ASSERT_EQ(seen_dated, dated.size()) << round;
    ASSERT_EQ(seen_others, others) << round;
  }
}

}  // namespace
}  // namespace holdfast::series
