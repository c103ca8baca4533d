#include "server/core/sign_in_limit.hpp"

#include <gtest/gtest.h>

namespace holdfast::core {
namespace {

constexpr MonoTime at(std::int64_t s) {
  return MonoTime{} + seconds(s);
}

void fail_times(SignInLimit& limit, int times, std::string_view name, std::string_view address,
                MonoTime now) {
  for (int i = 0; i < times; ++i) limit.failed(name, address, now);
}

TEST(SignInLimit, FiveFailuresInAMinuteBlockTheNameAndTheAddress) {
  SignInLimit limit;
  fail_times(limit, 4, "ann", "192.0.2.1", at(100));
  EXPECT_EQ(limit.wait("ann", "192.0.2.1", at(100)), std::nullopt);
  limit.failed("ann", "192.0.2.1", at(101));
  EXPECT_EQ(limit.wait("ann", "192.0.2.9", at(101)), seconds(5));
  EXPECT_EQ(limit.wait("bob", "192.0.2.1", at(103)), seconds(3));
  EXPECT_EQ(limit.wait("bob", "192.0.2.9", at(103)), std::nullopt);
  EXPECT_EQ(limit.wait("ann", "192.0.2.1", at(106)), std::nullopt);
}

TEST(SignInLimit, TheBlockDoublesUpToFifteenMinutes) {
  SignInLimit limit;
  MonoTime now = at(0);
  fail_times(limit, 4, "ann", "a", now);
  Duration last{};
  for (int i = 0; i < 12; ++i) {
    limit.failed("ann", "a", now);
    const auto wait = limit.wait("ann", "b", now);
    ASSERT_TRUE(wait);
    EXPECT_EQ(*wait, i == 0 ? seconds(5) : std::min(SignInLimit::kBlockMost, last * 2)) << i;
    last = *wait;
    now = now + *wait;
  }
  EXPECT_EQ(last, minutes(15));
}

TEST(SignInLimit, SlowFailuresAreForgotten) {
  SignInLimit limit;
  for (int i = 0; i < 50; ++i) limit.failed("ann", "a", at(i * 61));
  EXPECT_EQ(limit.wait("ann", "a", at(50 * 61)), std::nullopt);
}

TEST(SignInLimit, ASuccessClearsTheNameNotTheAddress) {
  SignInLimit limit;
  fail_times(limit, 5, "ann", "a", at(0));
  limit.succeeded("ann");
  EXPECT_EQ(limit.wait("ann", "b", at(0)), std::nullopt);
  EXPECT_NE(limit.wait("ann", "a", at(0)), std::nullopt);
}

TEST(SignInLimit, ItsMemoryIsBoundedAndTheOldestGo) {
  SignInLimit limit;
  fail_times(limit, 5, "victim", "v", at(1'000'000));
  for (std::size_t i = 0; i < SignInLimit::kEntriesMax + 100; ++i) {
    limit.failed("n" + std::to_string(i), "x", at(static_cast<std::int64_t>(i)));
  }
  EXPECT_EQ(limit.size(), SignInLimit::kEntriesMax);
  EXPECT_NE(limit.wait("victim", "y", at(1'000'000)), std::nullopt);
}

}  // namespace
}  // namespace holdfast::core
