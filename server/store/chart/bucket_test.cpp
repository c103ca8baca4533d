#include "server/store/chart/bucket.hpp"

#include <gtest/gtest.h>

namespace holdfast::chart {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

TEST(Bucket, StartsAreAlignedAlsoBefore1970) {
  EXPECT_EQ(bucket_start(0, 10), 0);
  EXPECT_EQ(bucket_start(9, 10), 0);
  EXPECT_EQ(bucket_start(-1, 10), -10);
  EXPECT_EQ(bucket_start(-10, 10), -10);
}

TEST(Bucket, OfMixedValuesCountsAllAndComputesWithNumbers) {
  Bucketer into(60 * kSecond, true, false);
  into.add(1 * kSecond, std::string("on"));
  into.add(2 * kSecond, std::int64_t{9'007'199'254'740'993});
  into.add(3 * kSecond, 2.0);
  into.add(4 * kSecond, NAN);
  into.add(5 * kSecond, true);
  into.add(61 * kSecond, std::int64_t{9'007'199'254'740'993});
  ASSERT_EQ(into.buckets.size(), 2U);
  const Bucket& first = into.buckets[0];
  EXPECT_EQ(first.count, 5U);
  EXPECT_EQ(first.numbers, 2U);
  EXPECT_EQ(first.min, 2.0);
  EXPECT_EQ(first.first, Value(std::string("on")));
  EXPECT_EQ(first.last, Value(true));
  EXPECT_EQ(value_of(into.buckets[1], *function_named("last")),
            Value(std::int64_t{9'007'199'254'740'993}))
      << "an int64 beyond 2^53 is exact";
  EXPECT_EQ(first.quantiles->count(), 2U);
}

TEST(Bucket, RatesKnowResetsGapsAndWholeNumbers) {
  Bucketer into(60 * kSecond, false, true);
  const auto add = [&](std::int64_t second, std::int64_t counter) {
    into.add(second * kSecond, counter);
  };
  add(0, 100);
  add(30, 130);
  add(60, 160);   // the next bucket; its growth began at 30 s
  add(90, 10);    // set back, and has counted to 10
  add(300, 430);  // after a gap of four buckets
  ASSERT_EQ(into.buckets.size(), 3U);
  EXPECT_EQ(into.buckets[0].increase, 30.0);
  EXPECT_DOUBLE_EQ(into.buckets[0].rate, 1.0);
  EXPECT_EQ(into.buckets[1].increase, 40.0);
  EXPECT_DOUBLE_EQ(into.buckets[1].rate, 40.0 / 60);
  EXPECT_EQ(into.buckets[2].increase, 420.0);
  EXPECT_DOUBLE_EQ(into.buckets[2].rate, 2.0);
  Bucketer big(60 * kSecond, false, true);
  big.add(0, INT64_MAX - 1);
  big.add(kSecond, INT64_MAX);
  EXPECT_EQ(big.buckets[0].increase, 1.0) << "lost as doubles";
  Bucketer one(60 * kSecond, false, true);
  one.add(0, 5.0);
  EXPECT_EQ(value_of(one.buckets[0], *function_named("rate")), Value()) << "no point before it";
  Bucketer fall(60 * kSecond, false, true);
  fall.add(0, INT64_MIN);
  fall.add(kSecond, INT64_MAX);
  EXPECT_EQ(fall.buckets[0].increase, 18'446'744'073'709'551'615.0);
}

TEST(Bucket, TwoBecomeOne) {
  Bucketer all(60 * kSecond, true, false);
  Bucketer a(60 * kSecond, true, false);
  Bucketer b(60 * kSecond, true, false);
  for (int i = 0; i < 600; ++i) {
    const double number = (i * 37) % 101;
    all.add(i * kSecond, number);
    (i % 3 == 0 ? a : b).add(i * kSecond, number);
  }
  merge_buckets(a.buckets, std::move(b.buckets));
  ASSERT_EQ(a.buckets.size(), all.buckets.size());
  for (std::size_t i = 0; i < a.buckets.size(); ++i) {
    EXPECT_EQ(a.buckets[i].count, all.buckets[i].count);
    EXPECT_EQ(a.buckets[i].sum, all.buckets[i].sum);
    EXPECT_EQ(a.buckets[i].min, all.buckets[i].min);
    EXPECT_EQ(a.buckets[i].max, all.buckets[i].max);
    EXPECT_EQ(a.buckets[i].quantiles->at(0.9), all.buckets[i].quantiles->at(0.9));
  }
}

TEST(Function, NamesComeBack) {
  for (const char* name : {"min", "max", "mean", "sum", "count", "first", "last", "increase",
                           "rate", "p0", "p50", "p99.9", "p100"}) {
    const auto function = function_named(name);
    ASSERT_TRUE(function) << name;
    EXPECT_EQ(name_of(*function), name);
  }
  EXPECT_EQ(function_named("median"), function_named("p50"));
  for (const char* name : {"", "p", "p101", "p-1", "pnan", "p5x", "mode", "p0.0000001"})
    EXPECT_FALSE(function_named(name)) << name;
}

}  // namespace
}  // namespace holdfast::chart
