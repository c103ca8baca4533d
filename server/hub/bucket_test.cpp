#include "server/hub/bucket.hpp"

#include <gtest/gtest.h>

namespace holdfast::hub {
namespace {

constexpr MonoTime kStart{1'000'000};

TEST(Bucket, a_burst_goes_through_and_then_the_rate) {
  Bucket bucket({10, 5}, kStart);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bucket.take(kStart), Duration{}) << i;
  const auto wait = bucket.take(kStart);
  EXPECT_GE(wait, milliseconds(100));
  EXPECT_LE(wait, milliseconds(101));
  EXPECT_EQ(bucket.take(kStart + milliseconds(200)), Duration{});
}

TEST(Bucket, debt_adds_up) {
  Bucket bucket({10, 1}, kStart);
  EXPECT_EQ(bucket.take(kStart), Duration{});
  static_cast<void>(bucket.take(kStart));
  EXPECT_GE(bucket.take(kStart), milliseconds(200));
}

TEST(Bucket, asking_first_takes_only_what_is_there) {
  Bucket bucket({1, 2}, kStart);
  EXPECT_TRUE(bucket.may(kStart));
  EXPECT_TRUE(bucket.may(kStart));
  EXPECT_FALSE(bucket.may(kStart));
  EXPECT_FALSE(bucket.may(kStart + milliseconds(900)));
  EXPECT_GT(bucket.wait(kStart + milliseconds(900)), milliseconds(99));
  EXPECT_TRUE(bucket.may(kStart + milliseconds(1'001)));
}

TEST(Bucket, fills_up_to_the_burst_and_no_further) {
  Bucket bucket({1'000, 3}, kStart);
  EXPECT_TRUE(bucket.full(kStart));
  EXPECT_TRUE(bucket.may(kStart));
  EXPECT_FALSE(bucket.full(kStart));
  const auto later = kStart + hours(1);
  EXPECT_TRUE(bucket.full(later));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.may(later));
  EXPECT_FALSE(bucket.may(later));
}

TEST(Bucket, time_that_goes_back_gives_nothing) {
  Bucket bucket({1'000, 1}, kStart);
  EXPECT_TRUE(bucket.may(kStart));
  EXPECT_FALSE(bucket.may(MonoTime{0}));
}

}  // namespace
}  // namespace holdfast::hub
