// Query parameters of telemetry and events, checked. Pure.
#pragma once

#include "server/core/operation.hpp"
#include "server/store/events/events.hpp"
#include "server/store/series/series.hpp"
#include "server/telemetry/json.hpp"

namespace holdfast::telemetry {

inline constexpr std::size_t kMetricsMax = 32;
inline constexpr std::size_t kPointsDefault = 10'000;
inline constexpr std::size_t kPointsMax = 50'000;
inline constexpr Duration kQueryTime = seconds(5);  // then the answer is partial

struct TelemetryQuery {
  std::vector<std::string> metrics;
  series::Range range;
  std::size_t limit = kPointsDefault;
  bool newest_first = false;
  std::optional<Duration> bucket;
  std::vector<Function> functions;
  // Raw pages: the time of the last point of the page before, and how many of that time it held.
  std::optional<WallTime> after;
  std::size_t skip = 0;
};

Result<TelemetryQuery> telemetry_query(const core::Call& call);
// device_id, kind, severity, q, from, to; not limit and cursor.
Result<events::Query> event_query(const core::Call& call);
std::string points_cursor(WallTime time, std::size_t skip);

}  // namespace holdfast::telemetry
