// Readings, events and the timeline as the contract's JSON. Pure.
#pragma once

#include "libs/wire/json.hpp"
#include "server/store/events/events.hpp"
#include "server/store/series/series.hpp"
#include "server/telemetry/live.hpp"

namespace holdfast::telemetry {

wire::Json event_json(const events::Event& event);
wire::Json point_json(const series::Point& point);
wire::Json reading_json(const LiveReading& reading);
wire::Json metric_json(const series::Last& last, const std::optional<std::string>& unit);

enum class Function { min, max, mean, sum, count, first, last };
std::optional<Function> function_named(std::string_view name);
wire::Json bucket_json(const std::string& metric, const series::Bucket& bucket, const std::vector<Function>& functions);

// One entry of a device's timeline: which lane it lies on, and who did it.
wire::Json timeline_json(const events::Event& event);
std::string_view lane_of(std::string_view kind);

}  // namespace holdfast::telemetry
