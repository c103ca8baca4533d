#include "server/telemetry/routes.hpp"

#include <algorithm>
#include <map>
#include <set>
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
  const series::Cardinality counted = sources.series.cardinality(device.id.ulid);
  return json_response({{"items", std::move(items)}, {"metrics_max", counted.device_max}});
}

wire::JsonObject with_outcome(wire::JsonObject body, const series::Outcome& outcome) {
  body["partial"] = outcome.partial;
  if (outcome.partial) body["partial_reason"] = outcome.reason;
  if (outcome.rolled_up) body["rolled_up"] = true;
  return body;
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
  return json_response(with_outcome(page.json(outcome), outcome));
}

series::BucketQuery bucket_query(const Sources& sources, const TelemetryQuery& query,
                                 std::size_t buckets) {
  series::BucketQuery wanted;
  wanted.metrics = query.metrics;
  wanted.range = query.range;
  wanted.length = *query.bucket;
  wanted.deadline = deadline(sources);
  wanted.quantiles = wants_quantiles(query.functions);
  wanted.rates = wants_rates(query.functions);
  wanted.exact_max = std::min(
      chart::kExactMax, kQuantileBytesMax / sizeof(double) / std::max<std::size_t>(1, buckets));
  return wanted;
}

Result<Response> buckets(const Sources& sources, DeviceId device, const TelemetryQuery& query) {
  const chart::Grid grid{query.range.from.us, query.range.to.us, query.bucket->us};
  series::BucketQuery wanted = bucket_query(sources, query, grid.size() * query.metrics.size());
  wanted.device = device.ulid;
  const auto answer = TRY(sources.series.buckets(wanted));
  wire::JsonArray out;
  for (std::size_t i = 0; i < answer.metrics.size(); ++i) {
    for (const series::Bucket& bucket : answer.metrics[i]) {
      out.push_back(bucket_json(query.metrics[i], bucket, query.functions));
    }
  }
  return json_response(with_outcome({{"buckets", std::move(out)}}, answer.outcome));
}

struct Compared {
  std::map<std::string, std::vector<std::vector<series::Bucket>>>
      buckets;                                         // of device or group, by metric
  std::map<std::string, std::optional<TypeId>> types;  // the first device's
  series::Outcome outcome;
};

// Device by device, so that of a group no more is in memory than its buckets.
Result<Compared> collect(const Sources& sources, const Call& call, const CompareQuery& query) {
  Compared out;
  const chart::Grid grid{query.what.range.from.us, query.what.range.to.us, query.what.bucket->us};
  series::BucketQuery wanted = bucket_query(
      sources, query.what, grid.size() * query.what.metrics.size() * query.devices.size());
  std::set<DeviceId> seen;
  for (const std::string& text : query.devices) {
    const auto id = DeviceId::parse(text);
    if (!id)
      return std::unexpected(
          core::refuse_missing(call.caller, "telemetry.read", "there is no " + text));
    if (!seen.insert(*id).second) continue;
    devices::Device device;
    TRY(sources.store.read([&](sql::Tx& tx) -> Status {
      device =
          TRY(devices::require_device(sources.devices, tx, call.caller, "telemetry.read", *id));
      return {};
    }));
    wanted.device = id->ulid;
    auto answer = TRY(sources.series.buckets(wanted));
    answer.outcome.rolled_up = answer.outcome.rolled_up || out.outcome.rolled_up;
    if (answer.outcome.partial || answer.outcome.rolled_up) out.outcome = answer.outcome;
    std::string name = text;
    if (query.group_by) {
      const auto tag = device.tags.find(*query.group_by);
      name = tag == device.tags.end() ? "" : tag->second;
    }
    out.types.try_emplace(name, device.type);
    auto& of = out.buckets[name];
    of.resize(query.what.metrics.size());
    for (std::size_t i = 0; i < of.size(); ++i)
      chart::merge_buckets(of[i], std::move(answer.metrics[i]));
  }
  return out;
}

Result<Response> compare(const Sources& sources, const Call& call) {
  const CompareQuery query = TRY(compare_query(call));
  const chart::Grid grid{query.what.range.from.us, query.what.range.to.us, query.what.bucket->us};
  const Compared compared = TRY(collect(sources, call, query));
  std::vector<chart::Line> lines;
  for (const auto& [of, metrics] : compared.buckets) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      for (const chart::Function& function : query.what.functions) {
        chart::Line line = chart::make_line(grid, metrics[i], function);
        line.of = of;
        line.metric = query.what.metrics[i];
        lines.push_back(std::move(line));
      }
    }
  }
  const std::size_t left_out = query.top ? chart::keep_top(lines, *query.top) : 0;
  for (chart::Line& line : lines) chart::fill_line(line, query.fill);
  LineNames names;
  names.groups = query.group_by.has_value();
  names.unit = [&](const chart::Line& line) {
    return sources.units.unit_of(compared.types.at(line.of), line.metric);
  };
  wire::JsonObject body = lines_json(grid, lines, query.fill, names);
  body["left_out"] = left_out;
  return json_response(with_outcome(std::move(body), compared.outcome));
}

// A page of devices that the caller may see, by id.
Result<std::vector<DeviceId>> page_of_devices(const Sources& sources, const Call& call,
                                              const core::Page& page) {
  const auto scope = TRY(core::site_filter(call.caller, "telemetry.read", "site_id"));
  sql::Params params{page.cursor.empty() ? DeviceId{} : TRY(DeviceId::parse(page.cursor))};
  params.insert(params.end(), scope.params.begin(), scope.params.end());
  params.emplace_back(static_cast<std::int64_t>(page.limit));
  std::vector<DeviceId> out;
  TRY(sources.store.read([&](sql::Tx& tx) -> Status {
    out = TRY(tx.list("SELECT id FROM device WHERE id>? AND " + scope.sql + " ORDER BY id LIMIT ?",
                      params, [](sql::Row& row) { return row.id<DeviceId>(0); }));
    return {};
  }));
  return out;
}

Result<Response> newest(const Sources& sources, const Call& call) {
  const NewestQuery query = TRY(newest_query(call));
  std::vector<DeviceId> ids;
  for (const std::string& text : query.devices) {
    const auto id = DeviceId::parse(text);
    if (!id)
      return std::unexpected(
          core::refuse_missing(call.caller, "telemetry.read", "there is no " + text));
    TRY(sources.store.read([&](sql::Tx& tx) -> Status {
      TRY(devices::require_device(sources.devices, tx, call.caller, "telemetry.read", *id));
      return {};
    }));
    ids.push_back(*id);
  }
  wire::Json next = nullptr;
  if (ids.empty()) {
    ids = TRY(page_of_devices(sources, call, query.page));
    if (ids.size() == query.page.limit) next = core::make_cursor(ids.back().text());
  }
  std::vector<Ulid> ulids;
  for (const DeviceId& id : ids) ulids.push_back(id.ulid);
  wire::JsonArray items;
  const auto outcome = TRY(sources.series.last(
      ulids, query.metrics, deadline(sources),
      [&](std::size_t device, std::size_t metric, const series::Point& point) {
        items.push_back(wire::JsonObject{{"device_id", ids[device].text()},
                                         {"metric", query.metrics[metric]},
                                         {"time", to_rfc3339(point.time)},
                                         {"value", wire::to_json(point.value)},
                                         {"time_source", series::name_of(point.source)}});
      }));
  return json_response(
      with_outcome({{"items", std::move(items)}, {"next_cursor", std::move(next)}}, outcome));
}

Result<Response> telemetry(const Sources& sources, const Call& call) {
  const auto device = TRY(device_of(sources, call, "telemetry.read"));
  const TelemetryQuery query = TRY(telemetry_query(call));
  return query.bucket ? buckets(sources, device.id, query) : raw_points(sources, device.id, query);
}

// The common part of events and timeline: one page of a search.
Result<Response> event_page(const Sources& sources, const Call& call, events::Query query,
                            wire::Json (*one)(const events::Event&), bool says_how_far) {
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
  body["partial"] = answer.partial;
  if (says_how_far) {
    body["scanned"] = answer.scanned;
    body["reached"] =
        answer.reached ? wire::Json(to_rfc3339(*answer.reached)) : wire::Json(nullptr);
  }
  return json_response(body);
}

// A device that is named must be one that the caller may see.
Status check_device(const Sources& sources, const Call& call, const events::Query& query) {
  if (!query.device) return {};
  return sources.store.read([&](sql::Tx& tx) -> Status {
    TRY(devices::require_device(sources.devices, tx, call.caller, "event.read",
                                DeviceId{*query.device}));
    return {};
  });
}

Result<Response> events_list(const Sources& sources, const Call& call) {
  events::Query query = TRY(event_query(call));
  TRY(check_device(sources, call, query));
  return event_page(sources, call, std::move(query), event_json, true);
}

Result<Response> events_count(const Sources& sources, const Call& call) {
  events::TallyQuery query = TRY(tally_query(call));
  TRY(check_device(sources, call, query.of));
  query.of.deadline = deadline(sources);
  query.of.device_filter = visible_devices(sources, call.caller, "event.read");
  return json_response(tally_json(query, TRY(sources.events.tally(query))));
}

Result<Response> events_explain(const Sources& sources, const Call& call) {
  events::Query query = TRY(event_query(call));
  TRY(check_device(sources, call, query));
  query.deadline = deadline(sources);
  return json_response(
      plan_json(query.filter, TRY(sources.events.explain(query)), !call.caller.sites));
}

Result<Response> timeline(const Sources& sources, const Call& call) {
  const auto device = TRY(device_of(sources, call, "event.read"));
  events::Query query = TRY(event_query(call));
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
  } else if (const auto* dropped = std::get_if<LiveDropped>(&item.what)) {
    event.name = "dropped";
    event.data = wire::json_text(wire::JsonObject{{"count", dropped->count}});
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
  if (const Status allowed = check_device(sources, call, *query); !allowed)
    return responder.fail(allowed.error());
  Interest interest;
  interest.devices = visible_devices(sources, call.caller, "event.read");
  interest.events = *std::move(query);
  interest.events_max = kTailEventsMax;
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
  TRY(operations.add("compare_telemetry",
                     [&](const Call& call) { return compare(sources, call); }));
  TRY(operations.add("list_newest_readings",
                     [&](const Call& call) { return newest(sources, call); }));
  TRY(operations.add("query_events", [&](const Call& call) { return events_list(sources, call); }));
  TRY(operations.add("count_events",
                     [&](const Call& call) { return events_count(sources, call); }));
  TRY(operations.add("explain_events",
                     [&](const Call& call) { return events_explain(sources, call); }));
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
