// Points in time and their text. Wall time is what calendars show and may jump; monotonic time only
// moves forward and means nothing outside this process. Pure; thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace holdfast {

struct Duration {
  std::int64_t us = 0;
  constexpr auto operator<=>(const Duration&) const = default;
  constexpr double seconds() const { return static_cast<double>(us) / 1e6; }
};
constexpr Duration microseconds(std::int64_t n) {
  return {n};
}
constexpr Duration milliseconds(std::int64_t n) {
  return {n * 1'000};
}
constexpr Duration seconds(std::int64_t n) {
  return {n * 1'000'000};
}
constexpr Duration minutes(std::int64_t n) {
  return seconds(n * 60);
}
constexpr Duration hours(std::int64_t n) {
  return minutes(n * 60);
}
constexpr Duration days(std::int64_t n) {
  return hours(n * 24);
}
constexpr Duration operator+(Duration a, Duration b) {
  return {a.us + b.us};
}
constexpr Duration operator-(Duration a, Duration b) {
  return {a.us - b.us};
}
constexpr Duration operator*(Duration a, std::int64_t n) {
  return {a.us * n};
}

// Microseconds since 1970-01-01T00:00:00Z.
struct WallTime {
  std::int64_t us = 0;
  constexpr auto operator<=>(const WallTime&) const = default;
};
constexpr WallTime operator+(WallTime t, Duration d) {
  return {t.us + d.us};
}
constexpr WallTime operator-(WallTime t, Duration d) {
  return {t.us - d.us};
}
constexpr Duration operator-(WallTime a, WallTime b) {
  return {a.us - b.us};
}

struct MonoTime {
  std::int64_t us = 0;
  constexpr auto operator<=>(const MonoTime&) const = default;
};
constexpr MonoTime operator+(MonoTime t, Duration d) {
  return {t.us + d.us};
}
constexpr MonoTime operator-(MonoTime t, Duration d) {
  return {t.us - d.us};
}
constexpr Duration operator-(MonoTime a, MonoTime b) {
  return {a.us - b.us};
}
inline constexpr MonoTime kNever{INT64_MAX};

// RFC 3339 in UTC; fractions only as long as needed: 2026-11-24T12:15:21.25Z
std::string to_rfc3339(WallTime time);
// Accepts any offset and up to nine digits of fraction (cut to microseconds).
Result<WallTime> from_rfc3339(std::string_view text);
// "90s", "15m", "1h", "7d", "1h30m", "250ms", or plain seconds "45".
Result<Duration> parse_duration(std::string_view text);
// To the millisecond: "1h30m", "250ms", "1s500ms", "-2d"; "0s" for nothing.
std::string to_text(Duration duration);
// Days since 1970-01-01, rounding down: the UTC day that a time lies in.
std::int64_t day_of(WallTime time);
std::string day_text(std::int64_t day);  // "2026-11-24"

}  // namespace holdfast
