// Query parameters of telemetry and events, checked. Pure.
#pragma once

#include "server/core/operation.hpp"
#include "server/store/events/events.hpp"
#include "server/store/series/series.hpp"
#include "server/telemetry/json.hpp"

namespace holdfast::telemetry {

inline constexpr std::size_t kMetricsMax = 32;
inline constexpr std::size_t kDevicesMax = 100;  // compared, or named one by one
inline constexpr std::size_t kFunctionsMax = 16;
inline constexpr std::size_t kQuantileBytesMax = 64 * 1024 * 1024;  // of one answer
inline constexpr std::size_t kPointsDefault = 10'000;
inline constexpr std::size_t kPointsMax = 50'000;
inline constexpr Duration kQueryTime = seconds(5);  // then the answer is partial

struct TelemetryQuery {
  std::vector<std::string> metrics;
  series::Range range;
  std::size_t limit = kPointsDefault;
  bool newest_first = false;
  std::optional<Duration> bucket;
  std::vector<chart::Function> functions;
  // Raw pages: the time of the last point of the page before, and how many of that time it held.
  std::optional<WallTime> after;
  std::size_t skip = 0;
};

Result<TelemetryQuery> telemetry_query(const core::Call& call);

// Several devices and metrics on one grid.
struct CompareQuery {
  TelemetryQuery what;  // bucket is set
  std::vector<std::string> devices;
  chart::Fill fill = chart::Fill::null;
  std::optional<std::string> group_by;  // key of a tag
  std::optional<std::size_t> top;
};
Result<CompareQuery> compare_query(const core::Call& call);

struct NewestQuery {
  std::vector<std::string> metrics;
  std::vector<std::string> devices;  // empty: all that the caller may see, by page
  core::Page page;
};
Result<NewestQuery> newest_query(const core::Call& call);

bool wants_rates(const std::vector<chart::Function>& functions);
bool wants_quantiles(const std::vector<chart::Function>& functions);
// device_id, kind, severity, q, from, to; not limit and cursor.
Result<events::Query> event_query(const core::Call& call);
// The same, and by, step_s, limit.
Result<events::TallyQuery> tally_query(const core::Call& call);

// Raw points page by time: a cursor says at which time the page before ended, and how many points
// of that time are shown by now.
class PointsPage {
 public:
  explicit PointsPage(const TelemetryQuery& query) : query_(query), skip_(query.skip) {}

  series::Range range() const;  // to be asked for
  // Points as they come; false when the page is full and there are more.
  bool take(const std::vector<series::Point>& some);
  bool empty() const { return points_.empty(); }
  // There is a next page when points were left over or the deadline came first. What a damaged file
  // holds is on no later page.
  wire::JsonObject json(const series::Outcome& outcome);

 private:
  const TelemetryQuery& query_;
  wire::JsonArray points_;
  std::size_t skip_;
  bool more_ = false;
  // The time of the last point that this page or an earlier one showed, and how many of it.
  std::optional<WallTime> shown_;
  std::size_t shown_count_ = 0;
};

}  // namespace holdfast::telemetry
