#include "libs/base/time.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>

namespace holdfast {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr WallTime kFirstTime{-62'167'219'200'000'000};  // 0000-01-01T00:00:00Z
constexpr WallTime kLastTime{253'402'300'799'999'999};   // 9999-12-31T23:59:59.999999Z

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - static_cast<std::int64_t>(a % b < 0);
}

std::unexpected<Error> bad_time(std::string_view text) {
  return fail(Code::invalid_argument, "not a time: \"" + std::string(text.substr(0, 40)) +
                                          "\"; write RFC 3339, as 2026-11-24T12:15:21Z");
}

// Reads exactly `count` digits at `at`; -1 when there are others.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

struct Offset {
  std::int64_t us;
  bool ok;
};

Offset parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return {0, true};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return {0, false};
  const int hour = digits(text, 1, 2);
  const int minute = digits(text, 4, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return {0, false};
  const std::int64_t us = (hour * 60 + minute) * 60'000'000LL;
  return {text[0] == '-' ? -us : us, true};
}

}  // namespace

std::int64_t day_of(WallTime time) {
  return floor_div(time.us, kDayUs);
}

std::string day_text(std::int64_t day) {
  const std::chrono::year_month_day ymd{std::chrono::sys_days{std::chrono::days{day}}};
  char out[48];
  std::snprintf(out, sizeof out, "%04d-%02u-%02u", static_cast<int>(ymd.year()),
                static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()));
  return out;
}

std::string to_rfc3339(WallTime time) {
  const std::int64_t day = day_of(time);
  const std::int64_t in_day = time.us - day * kDayUs;
  const std::int64_t second = in_day / 1'000'000;
  std::int64_t fraction = in_day % 1'000'000;
  char out[64];
  std::snprintf(out, sizeof out, "T%02d:%02d:%02d", static_cast<int>(second / 3600),
                static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
  std::string text = day_text(day) + out;
  if (fraction != 0) {
    std::snprintf(out, sizeof out, ".%06d", static_cast<int>(fraction));
    text += out;
    while (text.back() == '0') text.pop_back();
  }
  return text + "Z";
}

Result<WallTime> from_rfc3339(std::string_view text) {
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (text.size() < 20 || year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 ||
      second < 0 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
      text[16] != ':' || hour > 23 || minute > 59 || second > 60) {
    return bad_time(text);
  }
  const std::chrono::year_month_day ymd{std::chrono::year{year},
                                        std::chrono::month{static_cast<unsigned>(month)},
                                        std::chrono::day{static_cast<unsigned>(day)}};
  if (!ymd.ok()) return bad_time(text);
  std::size_t at = 19;
  std::int64_t fraction = 0;
  if (text[at] == '.') {
    std::int64_t unit = 100'000;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      fraction += (text[at] - '0') * unit;
      unit /= 10;
    }
    if (at == first || at - first > 9) return bad_time(text);
  }
  const Offset offset = parse_offset(text.substr(at));
  if (!offset.ok) return bad_time(text);
  const std::int64_t days = std::chrono::sys_days{ymd}.time_since_epoch().count();
  const std::int64_t seconds_in_day = (hour * 60 + minute) * 60 + second;
  const WallTime time{days * kDayUs + seconds_in_day * 1'000'000 + fraction - offset.us};
  // An offset can lead out of the years that the format can write.
  if (time < kFirstTime || time > kLastTime) return bad_time(text);
  return time;
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(Code::invalid_argument, "not a duration: \"" + std::string(text.substr(0, 40)) +
                                            "\"; write 90s, 15m, 1h30m or 7d");
  };
  std::int64_t total = 0;
  std::string_view rest = text;
  if (rest.empty()) return bad();
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{} || number < 0) return bad();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::int64_t unit = 1'000'000;
    std::size_t length = 1;
    if (rest.starts_with("ms")) {
      unit = 1'000;
      length = 2;
    } else if (rest.starts_with("m")) {
      unit = 60'000'000;
    } else if (rest.starts_with("h")) {
      unit = 3'600'000'000;
    } else if (rest.starts_with("d")) {
      unit = kDayUs;
    } else if (rest.starts_with("w")) {
      unit = 7 * kDayUs;
    } else if (rest.empty()) {
      length = 0;
    } else if (!rest.starts_with("s")) {
      return bad();
    }
    rest.remove_prefix(length);
    std::int64_t part = 0;
    if (__builtin_mul_overflow(number, unit, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return bad();
    }
  }
  return Duration{total};
}

std::string to_text(Duration duration) {
  // Unsigned, because the smallest number has no positive twin.
  const bool negative = duration.us < 0;
  const auto us = static_cast<std::uint64_t>(duration.us);
  std::uint64_t ms = (negative ? 0 - us : us) / 1'000;
  if (ms == 0) return "0s";
  std::string out = negative ? "-" : "";
  for (const auto& [unit, name] : {std::pair{86'400'000ULL, "d"},
                                   {3'600'000ULL, "h"},
                                   {60'000ULL, "m"},
                                   {1'000ULL, "s"},
                                   {1ULL, "ms"}}) {
    if (ms / unit == 0) continue;
    out += std::to_string(ms / unit) + name;
    ms %= unit;
  }
  return out;
}

}  // namespace holdfast
