#include "server/telemetry/routes.hpp"

#include <unordered_map>

#include "server/telemetry/queries.hpp"

namespace holdfast::telemetry {
namespace {

using core::Call;
using http::Response;

constexpr char kTooLong[] = "the range took too long: take a shorter one or longer buckets";

Response json_response(const wire::JsonObject& body) {
  return http::json(200, wire::json_text(body));
}

Result<devices::Device> device_of(const Sources& sources, const Call& call,
                                  std::string_view permission) {
  const auto id = TRY(call.id<DeviceId>("device_id", permission));
  devices::Device device;
  TRY(sources.store.read([&](sql::Tx& tx) -> Status {
    device = TRY(devices::require_device(sources.devices, tx, call.caller, permission, id));
    return {};
  }));
  return device;
}

MonoTime deadline(const Sources& sources) {
  return sources.store.clock().mono() + kQueryTime;
}

Result<Response> metrics(const Sources& sources, const Call& call) {
  const auto device = TRY(device_of(sources, call, "telemetry.read"));
  wire::JsonArray items;
  for (const series::Last& last : TRY(sources.series.metrics(device.id.ulid))) {
    items.push_back(metric_json(last, sources.units.unit_of(device.type, last.metric)));
  }
  return json_response({{"items", std::move(items)}});
}

Result<Response> raw_points(const Sources& sources, DeviceId device, const TelemetryQuery& query) {
  PointsPage page(query);
  series::RangeQuery range;
  range.device = device.ulid;
  range.metric = query.metrics.front();
  range.range = page.range();
  range.newest_first = query.newest_first;
  range.deadline = deadline(sources);
  const auto outcome = TRY(sources.series.range(
      range, [&](const std::vector<series::Point>& some) { return page.take(some); }));
  if (outcome.late && page.empty()) return fail(Code::deadline_exceeded, kTooLong);
  return json_response(page.json(outcome));
}

Result<Response> buckets(const Sources& sources, DeviceId device, const TelemetryQuery& query) {
  series::BucketQuery wanted;
  wanted.device = device.ulid;
  wanted.metrics = query.metrics;
  wanted.range = query.range;
  wanted.length = *query.bucket;
  wanted.deadline = deadline(sources);
  const auto answer = TRY(sources.series.buckets(wanted));
  if (answer.outcome.late) return fail(Code::deadline_exceeded, kTooLong);
  wire::JsonArray out;
  for (std::size_t i = 0; i < answer.metrics.size(); ++i) {
    for (const series::Bucket& bucket : answer.metrics[i]) {
      out.push_back(bucket_json(query.metrics[i], bucket, query.functions));
    }
  }
  return json_response({{"buckets", std::move(out)}, {"partial", answer.outcome.partial}});
}

Result<Response> telemetry(const Sources& sources, const Call& call) {
  const auto device = TRY(device_of(sources, call, "telemetry.read"));
  const TelemetryQuery query = TRY(telemetry_query(call));
  return query.bucket ? buckets(sources, device.id, query) : raw_points(sources, device.id, query);
}

// The common part of events and timeline: one page of a search.
Result<Response> event_page(const Sources& sources, const Call& call, events::Query query,
                            wire::Json (*one)(const events::Event&), bool says_partial) {
  const core::Page page = TRY(core::page_of(call));
  query.limit = page.limit;
  query.cursor = page.cursor;
  query.deadline = deadline(sources);
  query.device_filter = visible_devices(sources, call.caller, "event.read");
  const auto answer = TRY(sources.events.query(query));
  wire::JsonArray items;
  for (const events::Event& event : answer.items) items.push_back(one(event));
  wire::JsonObject body{{"items", std::move(items)},
                        {"next_cursor", answer.next_cursor.empty()
                                            ? wire::Json(nullptr)
                                            : wire::Json(core::make_cursor(answer.next_cursor))}};
  if (says_partial) body["partial"] = answer.partial;
  return json_response(body);
}

Result<Response> events_list(const Sources& sources, const Call& call) {
  events::Query query = TRY(event_query(call));
  if (query.device) {
    TRY(sources.store.read([&](sql::Tx& tx) -> Status {
      TRY(devices::require_device(sources.devices, tx, call.caller, "event.read",
                                  DeviceId{*query.device}));
      return {};
    }));
  }
  return event_page(sources, call, std::move(query), event_json, true);
}

Result<Response> timeline(const Sources& sources, const Call& call) {
  const auto device = TRY(device_of(sources, call, "event.read"));
  events::Query query;
  const core::Span span = TRY(core::span_of(call));
  if (span.from) query.from = *span.from;
  if (span.to) query.to = *span.to;
  query.device = device.id.ulid;
  return event_page(sources, call, std::move(query), timeline_json, false);
}

http::Event to_sse(const LiveItem& item) {
  http::Event event;
  event.id = item.id;
  if (const auto* reading = std::get_if<LiveReading>(&item.what)) {
    event.name = "reading";
    event.data = wire::json_text(reading_json(*reading));
  } else if (const auto* happened = std::get_if<events::Event>(&item.what)) {
    event.name = "event";
    event.data = wire::json_text(event_json(*happened));
  } else {
    event.name = "reset";
    event.data =
        wire::json_text(wire::JsonObject{{"reason", std::get<LiveReset>(item.what).reason}});
  }
  return event;
}

void stream(const Sources& sources, Interest interest, http::Responder responder) {
  auto events = responder.events();
  const auto number = sources.live.subscribe(std::move(interest), [events](const LiveItem& item) {
    if (events->closed()) return false;
    const bool taken = events->send(to_sse(item)).has_value();
    if (!taken) events->close();
    return taken;
  });
  if (!number) return events->close();
  events->on_closed([&live = sources.live, number = *number] { live.unsubscribe(number); });
}

void tail_telemetry(const Sources& sources, const Call& call, http::Responder responder) {
  const auto device = device_of(sources, call, "telemetry.read");
  if (!device) return responder.fail(device.error());
  Interest interest;
  interest.readings = true;
  interest.devices = [id = device->id.ulid](const Ulid& other) { return other == id; };
  for (const std::string_view metric : call.request.query_values("metric"))
    interest.metrics.emplace(metric);
  interest.resume = call.request.header("Last-Event-ID").value_or("");
  stream(sources, std::move(interest), std::move(responder));
}

void tail_events(const Sources& sources, const Call& call, http::Responder responder) {
  auto query = event_query(call);
  if (!query) return responder.fail(query.error());
  if (query->device) {
    const Status allowed = sources.store.read([&](sql::Tx& tx) -> Status {
      TRY(devices::require_device(sources.devices, tx, call.caller, "event.read",
                                  DeviceId{*query->device}));
      return {};
    });
    if (!allowed) return responder.fail(allowed.error());
  }
  Interest interest;
  interest.devices = visible_devices(sources, call.caller, "event.read");
  interest.events = *std::move(query);
  interest.resume = call.request.header("Last-Event-ID").value_or("");
  stream(sources, std::move(interest), std::move(responder));
}

}  // namespace

std::function<bool(const Ulid&)> visible_devices(const Sources& sources, const core::Caller& caller,
                                                 std::string_view permission) {
  if (!caller.sites) return {};
  struct Seen {
    std::unordered_map<DeviceId, bool> devices;
  };
  return [&sources, caller, permission = std::string(permission),
          seen = std::make_shared<Seen>()](const Ulid& ulid) {
    const DeviceId id{ulid};
    if (id.empty()) return false;
    const auto at = seen->devices.find(id);
    if (at != seen->devices.end()) return at->second;
    const bool visible =
        sources.store
            .read([&](sql::Tx& tx) -> Status {
              TRY(devices::require_device(sources.devices, tx, caller, permission, id));
              return {};
            })
            .has_value();
    seen->devices.emplace(id, visible);
    return visible;
  };
}

Status add_routes(core::Operations& operations, const Sources& sources) {
  TRY(operations.add("list_metrics", [&](const Call& call) { return metrics(sources, call); }));
  TRY(operations.add("query_telemetry",
                     [&](const Call& call) { return telemetry(sources, call); }));
  TRY(operations.add("query_events", [&](const Call& call) { return events_list(sources, call); }));
  TRY(operations.add("get_device_timeline",
                     [&](const Call& call) { return timeline(sources, call); }));
  TRY(operations.add_stream("tail_telemetry", [&](const Call& call, http::Responder responder) {
    tail_telemetry(sources, call, std::move(responder));
  }));
  return operations.add_stream("tail_events", [&](const Call& call, http::Responder responder) {
    tail_events(sources, call, std::move(responder));
  });
}

}  // namespace holdfast::telemetry
