#include "server/telemetry/queries.hpp"

#include <gtest/gtest.h>

namespace holdfast::telemetry {
namespace {

series::Point at(std::int64_t us, double value) {
  series::Point point;
  point.source = series::TimeSource::server;
  point.time = point.received = point.claimed = WallTime{us};
  point.value = value;
  return point;
}

TelemetryQuery page_of(std::size_t limit, std::optional<WallTime> after = {},
                       std::size_t skip = 0) {
  TelemetryQuery query;
  query.metrics = {"lab.temp"};
  query.range = {WallTime{0}, WallTime{100}};
  query.limit = limit;
  query.after = after;
  query.skip = skip;
  return query;
}

std::string cursor_at(const std::string& key) {
  return core::make_cursor(key);
}

std::string next_of(const wire::JsonObject& json) {
  return wire::find_string(json, "next_cursor").value().value_or("");
}

TEST(PointsPageTest, ThereIsANextPageWhenPointsAreLeftOver) {
  const TelemetryQuery query = page_of(2);
  PointsPage page(query);
  EXPECT_TRUE(page.empty());
  EXPECT_FALSE(page.take({at(1, 1), at(2, 2), at(3, 3)}));
  const auto json = page.json({});
  EXPECT_EQ(wire::get_array(json, "points").value()->size(), 2U);
  EXPECT_EQ(next_of(json), cursor_at("2:1"));
  EXPECT_FALSE(wire::get_bool(json, "partial").value());
}

TEST(PointsPageTest, PointsOfOneTimeThatWereShownAreSkippedAndCounted) {
  const TelemetryQuery query = page_of(1, WallTime{2}, 1);
  PointsPage page(query);
  EXPECT_EQ(page.range().from.us, 2);
  EXPECT_FALSE(page.take({at(2, 1), at(2, 2), at(2, 3)}));
  const auto json = page.json({});
  EXPECT_EQ(wire::get_array(json, "points").value()->size(), 1U);
  EXPECT_EQ(next_of(json), cursor_at("2:2"));
}

TEST(PointsPageTest, TheLastPageHasNoCursor) {
  const TelemetryQuery query = page_of(2);
  PointsPage page(query);
  EXPECT_TRUE(page.take({at(1, 1)}));
  EXPECT_TRUE(page.take({at(2, 2)}));
  EXPECT_EQ(next_of(page.json({})), "");
}

// Asking on would never end: the file is as damaged on the next page.
TEST(PointsPageTest, ADamagedFileMakesAPagePartialAndNotLonger) {
  const TelemetryQuery query = page_of(10);
  PointsPage page(query);
  EXPECT_TRUE(page.take({at(1, 1)}));
  const auto json = page.json({true, false, "a damaged file was left out"});
  EXPECT_EQ(next_of(json), "");
  EXPECT_TRUE(wire::get_bool(json, "partial").value());
}

TEST(PointsPageTest, ADeadlineIsFollowedByTheNextPage) {
  const TelemetryQuery query = page_of(10);
  PointsPage page(query);
  EXPECT_TRUE(page.take({at(1, 1), at(4, 1)}));
  EXPECT_EQ(next_of(page.json({true, true, "the deadline came first"})), cursor_at("4:1"));
}

TEST(PointsPageTest, NewestFirstGoesOnBelow) {
  TelemetryQuery query = page_of(10, WallTime{7}, 1);
  query.newest_first = true;
  PointsPage page(query);
  EXPECT_EQ(page.range().from.us, 0);
  EXPECT_EQ(page.range().to.us, 8);
}

}  // namespace
}  // namespace holdfast::telemetry
