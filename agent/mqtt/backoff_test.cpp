#include "agent/mqtt/backoff.hpp"

#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

// The longest wait that the next call can draw.
Duration most(Backoff backoff, Ending ending) {
  Duration out{};
  for (std::uint64_t random = 0; random < 2'000; ++random) {
    Backoff copy = backoff;
    out = std::max(out, copy.after(ending, {}, random * 0x9E3779B97F4A7C15ULL));
  }
  return out;
}

TEST(BackoffTest, DoublesToFiveMinutesAndJittersFully) {
  Backoff backoff;
  for (const std::int64_t limit : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}) {
    const Duration longest = most(backoff, Ending::failed);
    EXPECT_LE(longest, seconds(limit));
    EXPECT_GT(longest, milliseconds(limit * 980));
    EXPECT_EQ(Backoff(backoff).after(Ending::failed, {}, 0), Backoff::kWaitMin) << "no hot loop";
    backoff.after(Ending::failed, {}, 1);
  }
}

TEST(BackoffTest, ALongConnectionForgivesAShortOneDoesNot) {
  Backoff backoff;
  for (int i = 0; i < 8; ++i) backoff.after(Ending::failed, {}, 1);
  Backoff other = backoff;
  backoff.after(Ending::failed, seconds(59), 1);
  EXPECT_EQ(backoff.failures(), 9u);
  other.after(Ending::failed, seconds(60), 1);
  EXPECT_EQ(other.failures(), 1u);
}

TEST(BackoffTest, CutsAndShutdownsBeginWithFourSeconds) {
  EXPECT_GT(most({}, Ending::cut), milliseconds(3'900));
  EXPECT_LE(most({}, Ending::cut), seconds(4));
  EXPECT_GT(most({}, Ending::shutting_down), milliseconds(3'900));
}

TEST(BackoffTest, UnwelcomeAndTakenOverStayAwayForAMinute) {
  for (const Ending ending : {Ending::unwelcome, Ending::taken_over}) {
    Backoff backoff;
    EXPECT_EQ(backoff.after(ending, {}, 0), Backoff::kSlowMin);
    EXPECT_LE(most({}, ending), Backoff::kWaitMax);
    EXPECT_GT(most({}, ending), seconds(295));
  }
}

TEST(NoSoonerTest, AServersRetryAfterIsKeptUpToItsBound) {
  EXPECT_EQ(no_sooner(seconds(5), {}), seconds(5));
  EXPECT_EQ(no_sooner(seconds(5), 3.0), seconds(5));
  EXPECT_EQ(no_sooner(seconds(5), 7.5), milliseconds(7'500));
  EXPECT_EQ(no_sooner(seconds(5), -1.0), seconds(5));
  EXPECT_EQ(no_sooner(seconds(5), 1e18), hours(24));
  EXPECT_EQ(no_sooner(seconds(5), 1e18, hours(1)), hours(1));
}

}  // namespace
}  // namespace holdfast::agent
