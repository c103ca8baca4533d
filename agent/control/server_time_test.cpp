#include "agent/control/server_time.hpp"

#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

WallTime at(std::string_view text) {
  return from_rfc3339(text).value_or(WallTime{-1});
}
constexpr WallTime kUnset{};  // 1970

TEST(HttpDateTest, ReadsTheFixedFormAndNothingElse) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), at("1994-11-06T08:49:37Z"));
  EXPECT_EQ(parse_http_date("Tue, 29 Feb 2028 23:59:59 GMT"), at("2028-02-29T23:59:59Z"));
  EXPECT_EQ(parse_http_date("Wed, 31 Dec 2036 00:00:00 GMT"), at("2036-12-31T00:00:00Z"));
  for (const char* wrong : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                            "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nuv 1994 08:49:37 GMT", "Sun, 31 Apr 2026 08:49:37 GMT",
                            "Sun, 29 Feb 2026 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
                            "Sun, 06 Nov 1994 08:61:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
                            "Sun, 06 Nov -994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(wrong), std::nullopt) << wrong;
  }
}

TEST(ServerTimeTest, AClockThatIsSetIsNeverOverruled) {
  ServerTime time;
  const WallTime own = at("2026-11-24T12:00:00Z");
  EXPECT_FALSE(time.wanted(own, MonoTime{0}));
  ASSERT_TRUE(time.learn(at("2026-11-20T00:00:00Z"), MonoTime{0}, at("2026-11-01T00:00:00Z"),
                         at("2027-01-30T00:00:00Z")));
  EXPECT_EQ(time.now(own, MonoTime{5}), (ServerTime::Now{own, true}));
}

TEST(ServerTimeTest, IsBelievedWithinTheLifeOfTheCertificateOnly) {
  ServerTime time;
  const WallTime first = at("2026-11-01T00:00:00Z"), last = at("2027-01-30T00:00:00Z");
  EXPECT_FALSE(time.learn(first - seconds(1), MonoTime{0}, first, last));
  EXPECT_FALSE(time.learn(last + seconds(1), MonoTime{0}, first, last));
  EXPECT_FALSE(time.learn(kUnset, MonoTime{0}, kUnset, last)) << "the server's clock is not set";
  EXPECT_EQ(time.now(kUnset, MonoTime{7}), (ServerTime::Now{kUnset, false}));
  EXPECT_TRUE(time.learn(first, MonoTime{0}, first, last));
  EXPECT_TRUE(time.learn(last, MonoTime{0}, first, last));
  // A wrong one afterwards changes nothing.
  EXPECT_FALSE(time.learn(last + days(3650), MonoTime{0}, first, last));
  EXPECT_EQ(time.now(kUnset, MonoTime{}).wall, last);
}

TEST(ServerTimeTest, GoesOnByTheMonotonicClockAndAsksOnceADay) {
  ServerTime time;
  const WallTime told = at("2026-11-24T12:00:00Z");
  EXPECT_TRUE(time.wanted(kUnset, MonoTime{}));
  ASSERT_TRUE(time.learn(told, MonoTime{} + hours(1), told - days(1), told + days(89)));
  const auto later = time.now(kUnset + hours(3), MonoTime{} + hours(3));
  EXPECT_EQ(later, (ServerTime::Now{told + hours(2), true}));
  EXPECT_FALSE(time.wanted(kUnset, MonoTime{} + hours(24)));
  EXPECT_TRUE(time.wanted(kUnset, MonoTime{} + hours(25)));
}

}  // namespace
}  // namespace holdfast::agent
