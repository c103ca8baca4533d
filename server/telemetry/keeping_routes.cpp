#include "server/telemetry/keeping_routes.hpp"

#include <algorithm>

#include "server/core/answers.hpp"

namespace holdfast::telemetry {
namespace {

using core::Call;
using http::Response;

constexpr std::int64_t kPreviewDays = 30;
constexpr std::size_t kReasonBytesMax = 256;

wire::Json day_or_null(const std::optional<std::int64_t>& day) {
  return day ? wire::Json(day_text(*day)) : wire::Json(nullptr);
}

wire::JsonArray steps_json(const std::vector<series::RetentionStep>& steps) {
  wire::JsonArray out;
  for (const series::RetentionStep& step : steps) {
    out.push_back(wire::JsonObject{{"class", step.class_name},
                                   {"day", day_text(step.day)},
                                   {"bytes", step.bytes},
                                   {"action", step.rolls_up ? "roll-up" : "drop"},
                                   {"reason", step.reason},
                                   {"due", to_rfc3339(step.due)}});
  }
  return out;
}

Result<Response> show(Keeping& keeping, const Call&) {
  const auto uses = keeping.series().retention();
  wire::JsonArray items;
  for (const KeepRule& rule : keeping.rules()) {
    wire::JsonObject one = keep_json(rule);
    const auto use = std::ranges::find_if(
        uses, [&](const series::RetentionUse& each) { return each.of.name == rule.of.name; });
    if (use != uses.end()) {
      one["bytes"] = use->bytes;
      one["rollup_bytes"] = use->rollup_bytes;
      one["days"] = use->days;
      one["oldest_day"] = day_or_null(use->oldest_day);
      one["newest_day"] = day_or_null(use->newest_day);
    }
    items.push_back(std::move(one));
  }
  return core::json_response(200, wire::JsonObject{{"items", std::move(items)}});
}

Result<Response> preview(Keeping& keeping, const Call& call) {
  const core::Span span = TRY(core::span_of(call));
  const WallTime until = span.to.value_or(call.now + days(kPreviewDays));
  const auto steps = TRY(keeping.preview(until, std::nullopt));
  return core::json_response(
      200, wire::JsonObject{{"until", to_rfc3339(until)}, {"steps", steps_json(steps)}});
}

// What a new rule makes go at once is told with it; with dry_run it is only told.
Result<Response> set(Keeping& keeping, const Call& call) {
  KeepRule rule = TRY(keep_rule(call.path("class_name"), call.body));
  const auto steps = TRY(keeping.preview(call.now, rule));
  const bool dry = call.query("dry_run").value_or("false") == "true";
  if (!dry) rule = TRY(keeping.set(call.caller, std::move(rule)));
  return core::json_response(
      200,
      wire::JsonObject{{"class", keep_json(rule)}, {"steps", steps_json(steps)}, {"dry_run", dry}});
}

// A device, or all devices at a site.
Result<std::vector<Ulid>> devices_of_subject(Keeping& keeping, const Call& call) {
  const std::string_view subject = call.path("subject");
  const auto missing = [&] {
    return std::unexpected(
        core::refuse_missing(call.caller, "data.erase", "there is no " + std::string(subject)));
  };
  std::vector<Ulid> out;
  const auto site = SiteId::parse(subject);
  const auto device = DeviceId::parse(subject);
  if (!site && !device) return missing();
  bool known = false;
  TRY(keeping.store().read([&](sql::Tx& tx) -> Status {
    const auto ids = TRY(tx.list(site ? "SELECT id FROM device WHERE site_id=? ORDER BY id"
                                      : "SELECT id FROM device WHERE id=?",
                                 site ? sql::Params{*site} : sql::Params{*device},
                                 [](sql::Row& row) { return row.id<DeviceId>(0); }));
    for (const DeviceId& id : ids) out.push_back(id.ulid);
    known = !ids.empty();
    return {};
  }));
  // Of a device that was deleted, what it reported may still be there.
  if (!known && device && !TRY(keeping.series().metrics(device->ulid)).empty())
    out.push_back(device->ulid);
  if (out.empty()) return missing();
  return out;
}

wire::JsonObject erasure_json(std::string_view subject, const Erasure& erasure, bool erased) {
  wire::JsonArray devices;
  for (const Ulid& device : erasure.devices) devices.emplace_back(DeviceId{device}.text());
  const series::ErasePreview& readings = erasure.readings;
  return {{"subject", subject},
          {"devices", std::move(devices)},
          {"readings", wire::JsonObject{{"metrics", readings.metrics},
                                        {"points", readings.points},
                                        {"bytes", readings.bytes},
                                        {"first", core::time_or_null(readings.first)},
                                        {"last", core::time_or_null(readings.last)}}},
          {"events", wire::JsonObject{{"events", erasure.events.events},
                                      {"segments", erasure.events.segments}}},
          {"erased", erased}};
}

Result<Response> preview_erasure(Keeping& keeping, const Call& call) {
  const auto devices = TRY(devices_of_subject(keeping, call));
  const Erasure found = TRY(keeping.erase_preview(devices));
  return core::json_response(200, erasure_json(call.path("subject"), found, false));
}

// The audit says first that it begins, and then what is gone: who finds the first without the
// second erases again.
Result<Response> erase(Keeping& keeping, const Call& call) {
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"confirm", "reason"}));
  const std::string subject(call.path("subject"));
  const std::string reason = TRY(wire::get_string(body, "reason"));
  const auto devices = TRY(devices_of_subject(keeping, call));
  if (TRY(wire::get_string(body, "confirm")) != subject)
    return fail(Code::invalid_argument, "confirm: write the id of what is to be erased");
  if (reason.empty() || reason.size() > kReasonBytesMax)
    return fail(Code::invalid_argument, "reason: 1 to 256 bytes");
  const wire::JsonObject wish{{"state", "begun"}, {"reason", reason}};
  TRY(keeping.store().change(call.caller, "erase_subject", [&](core::Change& change) {
    return change.audit(subject, "", wire::json_text(wish));
  }));
  const Erasure gone = TRY(keeping.erase(devices));
  wire::JsonObject receipt = erasure_json(subject, gone, true);
  receipt["reason"] = reason;
  receipt["at"] = to_rfc3339(keeping.store().clock().wall());
  core::Caller again = call.caller;  // the key of the call marks its first change
  again.once = nullptr;
  TRY(keeping.store().change(again, "erasure.done", [&](core::Change& change) {
    return change.audit(subject, "", wire::json_text(receipt));
  }));
  return core::json_response(200, receipt);
}

}  // namespace

Status add_keeping_routes(core::Operations& operations, Keeping& keeping) {
  TRY(operations.add("get_retention", [&](const Call& call) { return show(keeping, call); }));
  TRY(operations.add("preview_retention",
                     [&](const Call& call) { return preview(keeping, call); }));
  TRY(operations.add("set_retention", [&](const Call& call) { return set(keeping, call); }));
  TRY(operations.add("preview_erasure",
                     [&](const Call& call) { return preview_erasure(keeping, call); }));
  return operations.add("erase_subject", [&](const Call& call) { return erase(keeping, call); });
}

}  // namespace holdfast::telemetry
