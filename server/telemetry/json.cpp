#include "server/telemetry/json.hpp"

#include <algorithm>

namespace holdfast::telemetry {
namespace {

struct Lane {
  std::string_view kind, lane;
};
constexpr std::array kLanes{
    Lane{"connect", "connection"},   Lane{"disconnect", "connection"},
    Lane{"refused", "connection"},   Lane{"authentication_failed", "connection"},
    Lane{"command", "commands"},     Lane{"twin", "changes"},
    Lane{"inventory", "changes"},    Lane{"enrolled", "changes"},
    Lane{"renewed", "changes"},      Lane{"clock", "changes"},
    Lane{"quarantine", "operators"}, Lane{"release", "operators"},
    Lane{"revoke", "operators"},     Lane{"audit", "operators"},
};

wire::Json id_of(const Ulid& device) {
  const DeviceId id{device};
  return id.empty() ? wire::Json(nullptr) : wire::Json(id.text());
}

wire::JsonObject fields_json(const std::map<std::string, wire::Value>& fields) {
  wire::JsonObject out;
  for (const auto& [name, value] : fields) out[name] = wire::to_json(value);
  return out;
}

const wire::Value* field(const events::Event& event, const std::string& name) {
  const auto at = event.fields.find(name);
  return at == event.fields.end() ? nullptr : &at->second;
}

}  // namespace

std::string_view lane_of(std::string_view kind) {
  for (const Lane& row : kLanes) {
    if (row.kind == kind) return row.lane;
  }
  return "events";
}

wire::Json event_json(const events::Event& event) {
  return wire::JsonObject{{"id", "evt_" + ulid_text(event.id)},
                          {"time", to_rfc3339(event.time)},
                          {"received_at", to_rfc3339(event.received)},
                          {"time_source", series::name_of(event.time_source)},
                          {"device_id", id_of(event.device)},
                          {"kind", event.kind},
                          {"severity", wire::name_of(event.severity)},
                          {"message", event.message},
                          {"fields", fields_json(event.fields)}};
}

wire::JsonObject tally_json(const events::TallyQuery& query, const events::Tally& tally) {
  wire::JsonArray rows;
  for (const events::TallyRow& row : tally.rows) {
    rows.push_back(wire::JsonObject{
        {"start", query.step ? wire::Json(to_rfc3339(row.start)) : wire::Json(nullptr)},
        {"value", query.by.empty() ? wire::Json(nullptr) : wire::Json(row.value)},
        {"count", row.count}});
  }
  return wire::JsonObject{{"rows", std::move(rows)},  {"total", tally.total},
                          {"other", tally.other},     {"without", tally.without},
                          {"partial", tally.partial}, {"scanned", tally.scanned}};
}

wire::JsonObject plan_json(const query::Node& query, const events::Explain& explain,
                           bool with_numbers) {
  const query::Plan& plan = explain.plan;
  wire::JsonArray steps;
  for (const query::Plan::Step& step : plan.steps)
    steps.push_back(wire::JsonObject{{"part", step.part}, {"how", step.how}});
  wire::JsonArray severities;
  for (std::size_t i = 0; i < query::kSeverities.size(); ++i)
    if ((plan.severities >> i & 1U) != 0) severities.push_back(wire::Json(query::kSeverities[i]));
  const auto time = [](std::int64_t us) {
    return us == INT64_MIN || us == INT64_MAX ? wire::Json(nullptr) : wire::Json(to_rfc3339({us}));
  };
  const auto number = [&](std::uint64_t value) {
    return with_numbers ? wire::Json(value) : wire::Json(nullptr);
  };
  return wire::JsonObject{{"query", query::to_text(query)},
                          {"steps", std::move(steps)},
                          {"from", time(plan.from)},
                          {"to", time(plan.to)},
                          {"severities", std::move(severities)},
                          {"rollups", plan.rollups_decide},
                          {"events", number(explain.events)},
                          {"events_left", number(explain.events_left)},
                          {"unsealed", number(explain.unsealed)},
                          {"blocks", number(explain.blocks)},
                          {"blocks_left", number(explain.blocks_left)}};
}

wire::Json point_json(const series::Point& point) {
  return wire::JsonObject{{"time", to_rfc3339(point.time)},
                          {"value", wire::to_json(point.value)},
                          {"time_source", series::name_of(point.source)}};
}

wire::Json reading_json(const LiveReading& reading) {
  return wire::JsonObject{{"device_id", id_of(reading.device)},
                          {"metric", reading.metric},
                          {"time", to_rfc3339(reading.time)},
                          {"value", wire::to_json(reading.value)},
                          {"time_source", series::name_of(reading.source)}};
}

wire::Json metric_json(const series::Last& last, const std::optional<std::string>& unit) {
  const auto& value = last.point.value;
  const std::string_view kind = std::holds_alternative<bool>(value)          ? "boolean"
                                : std::holds_alternative<std::string>(value) ? "string"
                                                                             : "number";
  return wire::JsonObject{{"name", last.metric},
                          {"kind", kind},
                          {"unit", unit ? wire::Json(*unit) : wire::Json(nullptr)},
                          {"last_value", wire::to_json(value)},
                          {"last_time", to_rfc3339(last.point.time)},
                          {"time_source", series::name_of(last.point.source)}};
}

wire::Json bucket_json(const std::string& metric, const series::Bucket& bucket,
                       const std::vector<chart::Function>& functions) {
  wire::JsonObject out{{"metric", metric}, {"start", to_rfc3339(bucket.start)}};
  wire::JsonObject percentiles;
  for (const chart::Function& function : functions) {
    const wire::Value value = chart::value_of(bucket, function);
    if (std::holds_alternative<std::monostate>(value)) continue;
    const bool percentile = function.kind == chart::Function::Kind::quantile;
    (percentile ? percentiles : out)[chart::name_of(function)] = wire::to_json(value);
  }
  if (!percentiles.empty()) out["percentiles"] = std::move(percentiles);
  return out;
}

wire::JsonObject lines_json(const chart::Grid& grid, const std::vector<chart::Line>& lines,
                            chart::Fill fill, const LineNames& names) {
  std::vector<std::size_t> shown(grid.size());
  for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = i;
  if (fill == chart::Fill::none) shown = chart::used_starts(lines, grid.size());
  const auto time = [&](std::size_t i) { return to_rfc3339(WallTime{grid.start(i)}); };
  wire::JsonArray starts;
  for (const std::size_t i : shown) starts.emplace_back(time(i));
  wire::JsonArray out;
  for (const chart::Line& line : lines) {
    wire::JsonArray values;
    for (const std::size_t i : shown) values.push_back(wire::to_json(line.cells[i]));
    wire::JsonArray gaps;
    for (const auto& [begin, end] : line.gaps)
      gaps.push_back(wire::JsonObject{{"from", time(begin)}, {"to", time(end)}});
    const auto unit = names.unit ? names.unit(line) : std::nullopt;
    out.push_back(
        wire::JsonObject{{"device_id", names.groups ? wire::Json(nullptr) : wire::Json(line.of)},
                         {"group", names.groups ? wire::Json(line.of) : wire::Json(nullptr)},
                         {"metric", line.metric},
                         {"function", chart::name_of(line.function)},
                         {"unit", unit ? wire::Json(*unit) : wire::Json(nullptr)},
                         {"values", std::move(values)},
                         {"gaps", std::move(gaps)},
                         {"relative_error", line.error}});
  }
  return {{"starts", std::move(starts)}, {"lines", std::move(out)}};
}

wire::Json timeline_json(const events::Event& event) {
  const wire::Value* actor = field(event, "actor");
  const wire::Value* audit = field(event, "audit_seq");
  wire::JsonObject fields = fields_json(event.fields);
  fields.erase("actor");
  fields.erase("audit_seq");
  return wire::JsonObject{
      {"id", "evt_" + ulid_text(event.id)},
      {"time", to_rfc3339(event.time)},
      {"lane", lane_of(event.kind)},
      {"kind", event.kind},
      {"severity", wire::name_of(event.severity)},
      {"message", event.message},
      {"actor", actor != nullptr ? wire::to_json(*actor) : wire::Json(nullptr)},
      {"audit_seq", audit != nullptr ? wire::to_json(*audit) : wire::Json(nullptr)},
      {"fields", std::move(fields)}};
}

}  // namespace holdfast::telemetry
