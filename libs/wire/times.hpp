// Inside of the codecs: seconds since 1970, as devices write them, to microseconds.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

namespace holdfast::wire {

// From 0001-01-01 to the end of 9999: what RFC 3339 can say.
inline constexpr std::int64_t kSecondsMin = -62'135'596'800;
inline constexpr std::int64_t kSecondsMax = 253'402'300'799;

inline std::optional<std::int64_t> microseconds_of(std::int64_t seconds) {
  if (seconds < kSecondsMin || seconds > kSecondsMax) return std::nullopt;
  return seconds * 1'000'000;
}

// Rounded: 0.1 s has no exact double, and is 100,000 us all the same.
inline std::optional<std::int64_t> microseconds_of(double seconds) {
  const bool inside =
      seconds >= static_cast<double>(kSecondsMin) && seconds <= static_cast<double>(kSecondsMax);
  if (!inside) return std::nullopt;  // NaN too
  return std::llround(seconds * 1e6);
}

}  // namespace holdfast::wire
