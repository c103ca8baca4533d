#include "server/store/series/head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/store/series/fixture_test.hpp"

namespace holdfast::series {
namespace {

constexpr WallTime kHeadNow{1'767'225'600'000'000};

class HeadTest : public testing::Test {
 protected:
  Metrics metrics_;
  Head head_{{.device_metrics_max = 100, .metrics_max = 1000}, metrics_};
  std::array<std::int64_t, 256> oldest_{};
  std::uint32_t next_ = 0;
  const Ulid device_ = device_of(1);

  HeadTest() { oldest_.fill(INT64_MIN); }

  void insert(const Ulid& device, const std::string& stream,
              const std::vector<wire::Reading>& readings, SegmentId segment = 1,
              ClassId retention = 0, const Ulid& subject = {}) {
    const Bytes body = encode_readings(stream, readings, kHeadNow, retention).value();
    journal::Stored record;
    record.at = {segment, next_++};
    record.device = device;
    record.subject = subject;
    record.time = kHeadNow + microseconds(next_);
    record.body = body;
    head_.insert(record, oldest_);
  }
  std::vector<double> numbers(const Ulid& device, std::string_view stream, std::string_view field) {
    std::vector<double> out;
    for (const auto& [segment, source] : head_.rows(device, stream, field, INT64_MIN, INT64_MAX)) {
      const Column& column = source.rows.columns.front().column;
      for (std::size_t i = 0; i < column.size(); ++i)
        out.push_back(std::get<double>(column.value(i)));
    }
    return out;
  }
  std::vector<std::string> names(const Ulid& device) {
    std::int64_t known_from = 0;
    std::vector<std::string> out;
    for (const Last& last : head_.lasts(device, known_from))
      out.push_back(last.metric + "=" + wire::value_text(last.point.value));
    return out;
  }
};

TEST_F(HeadTest, RowsAreFoundByMetricAndTime) {
  insert(device_, "s", {reading_of({{"a", 1.0}, {"b", 2.0}}, kHeadNow - seconds(10))});
  insert(device_, "s", {reading_of({{"a", 3.0}}, kHeadNow)});
  insert(device_of(2), "s", {reading_of({{"a", 9.0}}, kHeadNow)});
  EXPECT_EQ(numbers(device_, "s", "a"), (std::vector<double>{1, 3}));
  EXPECT_EQ(numbers(device_, "s", "b"), std::vector<double>{2});
  EXPECT_TRUE(numbers(device_, "s", "c").empty());
  EXPECT_TRUE(numbers(device_, "t", "a").empty());
  EXPECT_EQ(head_.rows(device_, "s", "a", kHeadNow.us, kHeadNow.us + 1).size(), 1U);
  EXPECT_TRUE(head_.rows(device_, "s", "a", kHeadNow.us + 1, INT64_MAX).empty());
}

TEST_F(HeadTest, RanksFollowSegmentsAndArrivalGoesOnOverShapes) {
  insert(device_, "s", {reading_of({{"a", 1.0}}, kHeadNow)}, 1);
  insert(device_, "s", {reading_of({{"a", 2.0}, {"b", 2.0}}, kHeadNow)}, 1);
  insert(device_, "s", {reading_of({{"a", 3.0}}, kHeadNow)}, 2);
  const auto rows = head_.rows(device_, "s", "a", INT64_MIN, INT64_MAX);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].source.rank, rows[1].source.rank);
  EXPECT_LT(rows[1].source.rank, rows[2].source.rank);
  EXPECT_NE(rows[0].source.arrival[0], rows[1].source.arrival[0]);
  std::vector<Source> sources;
  for (const auto& [segment, source] : rows) sources.push_back(source);
  const Rows merged = merge_rows(std::move(sources));
  EXPECT_EQ(std::get<double>(merged.find("a")->value(0)), 3.0);
}

TEST_F(HeadTest, CollectGivesASegmentByDeviceSubjectClassAndStream) {
  insert(device_of(2), "b", {reading_of({{"x", 1.0}})});
  insert(device_of(2), "a", {reading_of({{"x", 1.0}})});
  insert(device_of(2), "a", {reading_of({{"y", 1.0}})});
  insert(device_of(1), "a", {reading_of({{"x", 1.0}})}, 1, 3);
  insert(device_of(1), "a", {reading_of({{"x", 1.0}})}, 1, 3, device_of(9));
  insert(device_of(1), "a", {reading_of({{"x", 1.0}})}, 2);
  const auto parts = head_.collect(1);
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].device, device_of(1));
  EXPECT_EQ(parts[0].subject, device_of(1));
  EXPECT_EQ(parts[0].retention, 3);
  EXPECT_EQ(parts[1].subject, device_of(9));
  EXPECT_EQ(parts[2].stream(), "a");
  EXPECT_EQ(parts[2].rows.size(), 2U) << "two shapes of one stream";
  EXPECT_EQ(parts[3].stream(), "b");
  EXPECT_TRUE(head_.collect(7).empty());
}

TEST_F(HeadTest, DropTakesASegmentOutAndLeavesNewestValues) {
  insert(device_, "s", {reading_of({{"a", 1.0}})}, 1);
  insert(device_, "s", {reading_of({{"a", 2.0}})}, 2);
  const auto held = head_.collect(1);
  const std::uint64_t bytes = head_.bytes();
  head_.drop(1);
  EXPECT_EQ(numbers(device_, "s", "a"), std::vector<double>{2});
  EXPECT_LT(head_.bytes(), bytes);
  EXPECT_EQ(held[0].rows[0]->times.size(), 1U) << "who collected it still has it";
  head_.drop(2);
  EXPECT_EQ(head_.bytes(), 0U);
  EXPECT_EQ(names(device_), std::vector<std::string>{"s.a=2.0"});
}

TEST_F(HeadTest, ManyShapesOfADeviceAreFoundAndForgotten) {
  for (int i = 0; i < 90; ++i)
    insert(device_, "s", {reading_of({{"f" + std::to_string(i), static_cast<double>(i)}})}, 1);
  for (int i = 0; i < 90; ++i)
    EXPECT_EQ(numbers(device_, "s", "f" + std::to_string(i)),
              std::vector<double>{static_cast<double>(i)});
  head_.drop(1);
  insert(device_, "s", {reading_of({{"f5", 55.0}})}, 2);
  EXPECT_EQ(numbers(device_, "s", "f5"), std::vector<double>{55});
  EXPECT_EQ(head_.series(), 90U) << "metrics stay known";
}

TEST_F(HeadTest, NewestIsByTimeThenByArrival) {
  insert(device_, "s", {reading_of({{"a", 1.0}}, kHeadNow)});
  insert(device_, "s", {reading_of({{"a", 2.0}}, kHeadNow - seconds(1))});
  EXPECT_EQ(names(device_), std::vector<std::string>{"s.a=1.0"});
  insert(device_, "s", {reading_of({{"a", 3.0}}, kHeadNow)});
  EXPECT_EQ(names(device_), std::vector<std::string>{"s.a=3.0"});
}

TEST_F(HeadTest, NewestValuesChangeTheirKind) {
  for (const Value& value : {Value("text"), Value(1.5), Value("other"), Value(true),
                             Value(std::int64_t{4}), Value("again")}) {
    insert(device_, "s", {reading_of({{"a", value}}, kHeadNow)});
    EXPECT_EQ(names(device_), std::vector<std::string>{"s.a=" + wire::value_text(value)});
  }
}

TEST_F(HeadTest, WhatFilesKnowFillsInButDoesNotOverwrite) {
  insert(device_, "s", {reading_of({{"a", 1.0}}, kHeadNow)});
  std::int64_t known_from = 0;
  head_.lasts(device_, known_from);
  EXPECT_EQ(known_from, INT64_MAX);
  Point old;
  old.time = old.received = old.claimed = kHeadNow - hours(1);
  old.value = std::string("old");
  head_.learn(device_, {{"s.a", old}, {"s.b", old}}, 7);
  head_.lasts(device_, known_from);
  EXPECT_EQ(known_from, 7);
  EXPECT_EQ(names(device_), (std::vector<std::string>{"s.a=1.0", "s.b=\"old\""}));
  head_.learn(device_of(7), {}, INT64_MIN);
  head_.lasts(device_of(7), known_from);
  EXPECT_EQ(known_from, INT64_MIN) << "that there is nothing is known as well";
}

TEST_F(HeadTest, AdmissionCountsNewMetricsOnly) {
  Head small({.device_metrics_max = 2, .metrics_max = 3}, metrics_);
  const auto admit = [&](unsigned device, std::vector<std::pair<std::string, Value>> fields) {
    return small
        .admit(device_of(device), *encode_readings("s", {reading_of(std::move(fields))}, kHeadNow))
        .has_value();
  };
  EXPECT_TRUE(admit(1, {{"a", 1.0}}));
  EXPECT_TRUE(admit(1, {{"a", 1.0}, {"b", 1.0}}));
  EXPECT_FALSE(admit(1, {{"a", 1.0}, {"c", 1.0}}));
  EXPECT_EQ(small.series(), 2U) << "what is refused is not counted";
  EXPECT_EQ(small.cardinality(device_of(1)).device, 2U);
  EXPECT_EQ(small.cardinality(device_of(1)).device_max, 2U);
  EXPECT_THAT(metrics_.text(), testing::HasSubstr("holdfast_series_open 2\n"));
  EXPECT_TRUE(admit(2, {{"a", 1.0}}));
  EXPECT_FALSE(admit(2, {{"b", 1.0}}));
  EXPECT_FALSE(small.admit(device_of(1), Bytes{1, 2, 3})) << "no reading";
  small.erase_device(device_of(1));
  EXPECT_EQ(small.series(), 1U);
  EXPECT_TRUE(admit(2, {{"b", 1.0}}));
  EXPECT_EQ(metrics_.counter("holdfast_series_refused_total", "").value(), 2U);
}

TEST_F(HeadTest, SamplesPastTheirRetentionAreCountedAndDropped) {
  oldest_[0] = kHeadNow.us - 1000;
  insert(device_, "s",
         {reading_of({{"a", 1.0}}, kHeadNow - seconds(1)), reading_of({{"a", 2.0}}, kHeadNow)});
  EXPECT_EQ(numbers(device_, "s", "a"), std::vector<double>{2});
  EXPECT_EQ(metrics_.counter("holdfast_series_too_old_total", "").value(), 1U);
}

TEST_F(HeadTest, AMalformedRecordIsCountedNotTrusted) {
  journal::Stored record;
  record.at = {1, 0};
  record.device = device_;
  const Bytes garbage{0, 1, 's', 2, 1, 'a', 9};
  record.body = garbage;
  head_.insert(record, oldest_);
  EXPECT_EQ(metrics_.counter("holdfast_series_malformed_total", "").value(), 1U);
  EXPECT_TRUE(numbers(device_, "s", "a").empty());
}

TEST_F(HeadTest, ErasingASubjectTakesItsStreamsEverywhere) {
  const Ulid person = device_of(50);
  insert(device_of(1), "heart", {reading_of({{"rate", 60.0}, {"who", std::string("Ada")}})}, 1, 0,
         person);
  insert(device_of(2), "heart", {reading_of({{"rate", 70.0}})}, 1, 0, person);
  insert(device_of(1), "s", {reading_of({{"a", 1.0}})});
  head_.erase_subject(person);
  EXPECT_EQ(names(device_of(1)), std::vector<std::string>{"s.a=1.0"});
  EXPECT_TRUE(names(device_of(2)).empty());
  EXPECT_TRUE(numbers(device_of(2), "heart", "rate").empty());
  for (const HeadPart& part : head_.collect(1)) EXPECT_NE(part.subject, person);
}

}  // namespace
}  // namespace holdfast::series
