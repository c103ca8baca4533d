// Readings, events and the timeline as the contract's JSON. Pure.
#pragma once

#include <functional>

#include "libs/wire/json.hpp"
#include "server/store/chart/lines.hpp"
#include "server/store/events/events.hpp"
#include "server/store/series/series.hpp"
#include "server/telemetry/live.hpp"

namespace holdfast::telemetry {

wire::Json event_json(const events::Event& event);
wire::JsonObject tally_json(const events::TallyQuery& query, const events::Tally& tally);
// Without numbers for who may not see all events.
wire::JsonObject plan_json(const query::Node& query, const events::Explain& explain,
                           bool with_numbers);
wire::Json point_json(const series::Point& point);
wire::Json reading_json(const LiveReading& reading);
wire::Json metric_json(const series::Last& last, const std::optional<std::string>& unit);

wire::Json bucket_json(const std::string& metric, const series::Bucket& bucket,
                       const std::vector<chart::Function>& functions);

// Lines on one grid (schema AlignedTelemetry): cells as values, gaps as times.
struct LineNames {
  bool groups = false;  // a line is of a group, not of a device
  std::function<std::optional<std::string>(const chart::Line&)> unit;
};
wire::JsonObject lines_json(const chart::Grid& grid, const std::vector<chart::Line>& lines,
                            chart::Fill fill, const LineNames& names);

// One entry of a device's timeline: which lane it lies on, and who did it.
wire::Json timeline_json(const events::Event& event);
std::string_view lane_of(std::string_view kind);

}  // namespace holdfast::telemetry
