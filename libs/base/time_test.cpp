#include "libs/base/time.hpp"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

std::string round_trip(std::string_view text) {
  const auto time = from_rfc3339(text);
  return time ? to_rfc3339(*time) : "<none>";
}

TEST(Rfc3339, GoesBothWays) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2026-11-24T12:15:21Z", "2026-11-24T12:15:21.25Z",
        "2026-11-24T12:15:21.000001Z", "2024-02-29T23:59:59.999999Z", "1969-12-31T23:59:59.5Z",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
    EXPECT_EQ(round_trip(text), text);
  }
}

TEST(Rfc3339, KnowsThePast) {
  EXPECT_EQ(from_rfc3339("1970-01-01T00:00:00Z").value(), WallTime{0});
  EXPECT_EQ(from_rfc3339("1969-12-31T23:59:59Z").value(), WallTime{-1'000'000});
  EXPECT_EQ(to_rfc3339(WallTime{-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(Rfc3339, TakesOffsetsLowerCaseAndNanoseconds) {
  EXPECT_EQ(round_trip("2026-11-24T12:15:21+02:00"), "2026-11-24T10:15:21Z");
  EXPECT_EQ(round_trip("2026-11-24T00:15:21-01:30"), "2026-11-24T01:45:21Z");
  EXPECT_EQ(round_trip("2026-11-24t12:15:21z"), "2026-11-24T12:15:21Z");
  EXPECT_EQ(round_trip("2026-11-24 12:15:21Z"), "2026-11-24T12:15:21Z");
  EXPECT_EQ(round_trip("2026-11-24T12:15:21.123456789Z"), "2026-11-24T12:15:21.123456Z");
  EXPECT_EQ(round_trip("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");  // a leap second
}

TEST(Rfc3339, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-24",
                           "2026-11-24T12:15Z",
                           "2026-11-24T12:15:21",
                           "2026-13-24T12:15:21Z",
                           "2026-02-29T12:15:21Z",
                           "2026-11-24T24:15:21Z",
                           "2026-11-24T12:60:21Z",
                           "2026-11-24T12:15:61Z",
                           "2026-11-24T12:15:21.Z",
                           "2026-11-24T12:15:21.1234567890Z",
                           "2026-11-24T12:15:21+2:00",
                           "2026-11-24T12:15:21+24:00",
                           "2026-11-24T12:15:21+02:60",
                           "2026-11-24T12:15:21ZZ",
                           "2026/11/24T12:15:21Z",
                           "x026-11-24T12:15:21Z",
                           "2026-11-24T12:15:2 Z",
                           "2026-11-24T-2:15:21Z",
                           "0000-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01"}) {
    const auto time = from_rfc3339(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, Code::invalid_argument);
  }
}

TEST(Durations, AreParsed) {
  EXPECT_EQ(parse_duration("90s").value(), seconds(90));
  EXPECT_EQ(parse_duration("15m").value(), minutes(15));
  EXPECT_EQ(parse_duration("1h30m").value(), minutes(90));
  EXPECT_EQ(parse_duration("7d").value(), days(7));
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
  EXPECT_EQ(parse_duration("45").value(), seconds(45));
  EXPECT_EQ(parse_duration("0").value(), Duration{});
}

TEST(Durations, AreRefusedWhenWrong) {
  for (const char* text : {"", "s", "-1s", "1x", "1 s", "1.5s", "99999999999999999999s",
                           "9223372036854775807d", "106751991d106751991d", "1h-1m"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Durations, ReadBackTheirOwnText) {
  for (const Duration duration : {seconds(1), milliseconds(1500), minutes(90), days(7),
                                  days(1) + seconds(1), milliseconds(250), Duration{}}) {
    EXPECT_EQ(parse_duration(to_text(duration)).value(), duration) << to_text(duration);
  }
  EXPECT_EQ(to_text(minutes(90)), "1h30m");
  EXPECT_EQ(to_text(milliseconds(1500)), "1s500ms");
  EXPECT_EQ(to_text(microseconds(999)), "0s");
  EXPECT_EQ(to_text(days(-2)), "-2d");
  EXPECT_EQ(to_text(Duration{INT64_MIN}).substr(0, 11), "-106751991d");
}

TEST(Days, RoundDown) {
  EXPECT_EQ(day_of(WallTime{0}), 0);
  EXPECT_EQ(day_of(WallTime{-1}), -1);
  EXPECT_EQ(day_of(WallTime{} + days(1)), 1);
  EXPECT_EQ(day_of(WallTime{} + days(1) - microseconds(1)), 0);
  EXPECT_EQ(day_text(0), "1970-01-01");
  EXPECT_EQ(day_text(-1), "1969-12-31");
  EXPECT_EQ(day_text(20'781), "2026-11-24");
}

TEST(Arithmetic, KeepsPointsAndDurationsApart) {
  const WallTime wall{1'000'000};
  EXPECT_EQ(wall + seconds(1) - wall, seconds(1));
  EXPECT_EQ(MonoTime{5} - microseconds(2), MonoTime{3});
  EXPECT_EQ(seconds(2) * 3, seconds(6));
  EXPECT_LT(seconds(1), minutes(1));
  EXPECT_GT(kNever, MonoTime{} + days(100'000));
  EXPECT_DOUBLE_EQ(milliseconds(1500).seconds(), 1.5);
}

}  // namespace
}  // namespace holdfast
