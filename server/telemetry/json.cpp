#include "server/telemetry/json.hpp"

#include <algorithm>

namespace holdfast::telemetry {
namespace {

struct Lane {
  std::string_view kind, lane;
};
constexpr std::array kLanes{
    Lane{"connect", "connection"},  Lane{"disconnect", "connection"}, Lane{"refused", "connection"},
    Lane{"authentication_failed", "connection"}, Lane{"command", "commands"}, Lane{"twin", "changes"},
    Lane{"inventory", "changes"},   Lane{"enrolled", "changes"},      Lane{"renewed", "changes"},
    Lane{"clock", "changes"},       Lane{"quarantine", "operators"},  Lane{"release", "operators"},
    Lane{"revoke", "operators"},    Lane{"audit", "operators"},
};

constexpr std::array<std::string_view, 7> kFunctions{"min", "max", "mean", "sum", "count", "first", "last"};

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

std::optional<Function> function_named(std::string_view name) {
  const auto at = std::find(kFunctions.begin(), kFunctions.end(), name);
  if (at == kFunctions.end()) return std::nullopt;
  return static_cast<Function>(at - kFunctions.begin());
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

wire::Json bucket_json(const std::string& metric, const series::Bucket& bucket, const std::vector<Function>& functions) {
  wire::JsonObject out{{"metric", metric}, {"start", to_rfc3339(bucket.start)}};
  const bool numbers = bucket.numbers > 0;
  for (const Function function : functions) {
    const std::string_view name = kFunctions[static_cast<std::size_t>(function)];
    switch (function) {
      case Function::min: if (numbers) out[name] = bucket.min; break;
      case Function::max: if (numbers) out[name] = bucket.max; break;
      case Function::mean: if (numbers) out[name] = bucket.mean(); break;
      case Function::sum: if (numbers) out[name] = bucket.sum; break;
      case Function::count: out[name] = bucket.count; break;
      case Function::first: out[name] = wire::to_json(bucket.first); break;
      case Function::last: out[name] = wire::to_json(bucket.last); break;
    }
  }
  return out;
}

wire::Json timeline_json(const events::Event& event) {
  const wire::Value* actor = field(event, "actor");
  const wire::Value* audit = field(event, "audit_seq");
  wire::JsonObject fields = fields_json(event.fields);
  fields.erase("actor");
  fields.erase("audit_seq");
  return wire::JsonObject{{"id", "evt_" + ulid_text(event.id)},
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
