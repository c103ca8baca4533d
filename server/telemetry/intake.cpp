#include "server/telemetry/intake.hpp"

#include "libs/wire/json.hpp"
#include "server/store/series/reading.hpp"
#include "server/telemetry/keeping.hpp"

namespace holdfast::telemetry {
namespace {

constexpr std::string_view kFirst = R"(
CREATE TABLE first_reading (
  device_id {id} PRIMARY KEY REFERENCES device (id), metric {text} NOT NULL, at {int} NOT NULL
) {strict};
)";

constexpr std::size_t kMalformedBytesKept = 1'024;          // of a payload that does not parse
constexpr std::uint32_t kMalformedEventsPerSecondMax = 50;  // of all devices, on timelines

// The session tag under which mirrored notices are stored once; device sessions have random ones.
constexpr std::uint64_t kNoticeSession = 0x6E6F7469636573ULL;

journal::Delivery delivery_of(const Delivery& delivery, std::string_view topic, View payload) {
  journal::Delivery out;
  out.session = delivery.session_tag;
  out.packet = delivery.packet_id;
  out.dup = delivery.dup;
  if (out.session != 0) out.hash = journal::payload_hash(topic, payload);
  return out;
}

journal::Record record_of(journal::Kind kind, DeviceId device, View body) {
  journal::Record record;
  record.kind = kind;
  record.device = device.ulid;
  record.body = body;
  return record;
}

// Nested members keep their JSON text: the events port holds scalars.
std::map<std::string, wire::Value> fields_of(const wire::JsonObject& object) {
  std::map<std::string, wire::Value> fields;
  for (const auto& member : object) {
    const auto value = wire::to_value(member.value());
    if (value) {
      fields[member.key()] = *value;
    } else {
      fields[member.key()] = wire::json_text(member.value());
    }
  }
  return fields;
}

}  // namespace

std::vector<core::Migration> migrations() {
  return {{"telemetry", 1, "first readings", kFirst, {}},
          {"telemetry", 2, "retention classes", keeping_tables(), {}}};
}

events::NewEvent new_event(const wire::LogEntry& entry, std::string kind) {
  events::NewEvent out;
  out.kind = std::move(kind);
  out.severity = entry.severity;
  out.message = entry.message;
  out.device_time = entry.device_time;
  out.fields = fields_of(entry.fields);
  return out;
}

Result<std::unique_ptr<Intake>> Intake::make(const os::System& system, journal::Journal& journal,
                                             series::Series& series, core::Store& store,
                                             os::Workers& workers, const Log& log,
                                             Metrics& metrics) {
  std::unique_ptr<Intake> intake(new Intake(system, journal, series, store, workers, log, metrics));
  std::vector<DeviceId> known;
  TRY(store.read([&](sql::Tx& tx) -> Status {
    known = TRY(tx.list("SELECT device_id FROM first_reading", {},
                        [](sql::Row& row) { return row.id<DeviceId>(0); }));
    return {};
  }));
  intake->reported_.with([&](auto& reported) { reported.insert(known.begin(), known.end()); });
  return intake;
}

Intake::Intake(const os::System& system, journal::Journal& journal, series::Series& series,
               core::Store& store, os::Workers& workers, const Log& log, Metrics& metrics)
    : system_(system),
      journal_(journal),
      series_(series),
      store_(store),
      workers_(workers),
      log_(log),
      messages_(metrics.counter("holdfast_telemetry_messages_total",
                                "Messages with readings, events or logs taken")),
      samples_(metrics.counter("holdfast_telemetry_samples_total",
                               "Samples taken; each holds one or more values")),
      refused_(metrics.counter(
          "holdfast_telemetry_refused_total",
          "Messages refused: malformed, too large, over a quota, or the journal was full")),
      suppressed_(
          metrics.counter("holdfast_telemetry_events_suppressed_total",
                          "Events of malformed payloads left out because there were too many")),
      lost_events_(metrics.counter("holdfast_telemetry_server_events_lost_total",
                                   "Events of the server that found the journal full")) {}

void Intake::finish(Status taken, DeviceId device, const std::string& topic, View payload,
                    Done& done) {
  if (taken) {
    messages_.add();
    return;
  }
  refused_.add();
  const Code code = taken.error().code;
  if (code == Code::payload_malformed) keep_malformed(device, topic, payload, taken.error());
  if (code == Code::quota_exceeded) keep_refused(device, topic, taken.error());
  done(std::move(taken));
}

// So many events of refused messages at most that they fill no journal.
bool Intake::room_for_refusal() {
  const std::int64_t second = system_.clock.mono().us / 1'000'000;
  const bool room = malformed_.with([&](Second& now) {
    if (now.number != second) now = {second, 0};
    return now.count++ < kMalformedEventsPerSecondMax;
  });
  if (!room) suppressed_.add();
  return room;
}

// What a device sent and nobody could read stays visible.
void Intake::keep_malformed(DeviceId device, const std::string& topic, View payload,
                            const Error& why) {
  if (!room_for_refusal()) return;
  ServerEvent event{device, "payload_malformed", "warning", why.text(), {}};
  event.fields["topic"] = topic;
  event.fields["code"] = std::string(row_of(why.code).name);
  event.fields["payload_base64"] =
      to_base64(payload.first(std::min(payload.size(), kMalformedBytesKept)));
  event.fields["payload_bytes"] = static_cast<std::int64_t>(payload.size());
  record(std::move(event));
}

// A device with too many metrics sees why on its timeline.
void Intake::keep_refused(DeviceId device, const std::string& topic, const Error& why) {
  if (!room_for_refusal()) return;
  ServerEvent event{device, "refused", "warning", "reading refused: " + why.text(), {}};
  event.fields["topic"] = topic;
  event.fields["code"] = std::string(row_of(why.code).name);
  record(std::move(event));
}

void Intake::reading(DeviceId device, std::string_view stream, View payload, Delivery delivery,
                     Done done) {
  Status taken = take_reading(device, stream, payload, delivery, done);
  if (taken) return messages_.add();
  finish(std::move(taken), device, "telemetry/" + std::string(stream), payload, done);
}

// Moves `done` away only when the journal took the record; on an error it is still the caller's.
Status Intake::take_reading(DeviceId device, std::string_view stream, View payload,
                            const Delivery& delivery, Done& done) {
  const auto format = wire::format_of(delivery.content_type);
  if (!format)
    return fail(Code::payload_malformed,
                "content type \"" + delivery.content_type + "\" is no telemetry");
  const auto readings = TRY(wire::decode_telemetry(payload, *format, device.text()));
  if (readings.empty()) {
    done({});
    return {};
  }
  const WallTime now = system_.clock.wall();
  auto body = series::encode_readings(stream, readings, now, class_of_ ? class_of_(stream) : 0);
  if (!body) return std::unexpected(wire::as_payload(body.error()));
  TRY(series_.admit(device.ulid, *body));
  journal::Record record = record_of(journal::Kind::reading, device, *body);
  record.ticks = static_cast<std::uint32_t>(readings.size());
  record.delivery = delivery_of(delivery, "telemetry/" + std::string(stream), payload);
  // A shared holder, because `durable` must not take `done` when the journal refuses.
  auto held = std::make_shared<Done>(std::move(done));
  Status taken =
      journal_.append(record, nullptr, [held](Status stored) { (*held)(std::move(stored)); });
  if (!taken) {
    done = std::move(*held);
    return taken;
  }
  samples_.add(readings.size());
  first_reading(device, std::string(stream) + "." + readings.front().fields.front().name, now);
  return {};
}

void Intake::event(DeviceId device, std::string_view name, View payload, Delivery delivery,
                   Done done) {
  const auto take = [&]() -> Status {
    auto entry = TRY(wire::decode_event(payload, name));
    events::NewEvent one = new_event(entry, "event");
    one.fields["name"] = std::string(name);
    return take_entries(device, "event/" + std::string(name), payload, {one}, delivery, done);
  };
  finish(take(), device, "event/" + std::string(name), payload, done);
}

void Intake::log(DeviceId device, View payload, Delivery delivery, Done done) {
  const auto take = [&]() -> Status {
    std::vector<events::NewEvent> entries;
    for (const wire::LogEntry& entry : TRY(wire::decode_log(payload)))
      entries.push_back(new_event(entry, "log"));
    return take_entries(device, "log", payload, entries, delivery, done);
  };
  finish(take(), device, "log", payload, done);
}

// Entries become records of their own; the last one carries the delivery, so that a resend is known
// only once all of them are stored.
Status Intake::take_entries(DeviceId device, std::string_view topic, View payload,
                            const std::vector<events::NewEvent>& entries, const Delivery& delivery,
                            Done& done) {
  const journal::Delivery known = delivery_of(delivery, topic, payload);
  auto held = std::make_shared<Done>(std::move(done));
  const auto durable = [held](Status stored) { (*held)(std::move(stored)); };
  const auto append_all = [&]() -> Status {
    if (known.dup && journal_.seen(known)) return journal_.barrier(nullptr, durable);
    const WallTime now = system_.clock.wall();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      auto body = events::encode_event(entries[i], now);
      if (!body) return std::unexpected(wire::as_payload(body.error()));
      journal::Record record = record_of(journal::Kind::event, device, *body);
      const bool last = i + 1 == entries.size();
      if (last) record.delivery = known;
      if (last) {
        TRY(journal_.append(record, nullptr, durable));
      } else {
        TRY(journal_.append(record, nullptr, [](const Status&) {}));
      }
    }
    return {};
  };
  Status taken = append_all();
  if (!taken) done = std::move(*held);
  return taken;
}

namespace {

Result<Bytes> encode(const ServerEvent& event, WallTime now) {
  events::NewEvent out;
  out.kind = event.kind;
  out.severity = wire::severity_named(event.severity).value_or(wire::Severity::info);
  out.message = event.message;
  out.fields = event.fields;
  return events::encode_event(out, now);
}

}  // namespace

void Intake::record(ServerEvent event) {
  const auto body = encode(event, system_.clock.wall());
  const DeviceId device = event.device.value_or(DeviceId{});
  const bool taken =
      body &&
      journal_.append(record_of(journal::Kind::event, device, *body), nullptr, [](const Status&) {})
          .has_value();
  if (taken) return;
  lost_events_.add();
  log_.warning("an event of the server could not be stored",
               {{"kind", event.kind}, {"device", device.text()}});
}

void Intake::record_once(const ServerEvent& event, std::int64_t seq, Done done) {
  const auto body = encode(event, system_.clock.wall());
  if (!body) return done(std::unexpected(body.error()));
  journal::Record record =
      record_of(journal::Kind::event, event.device.value_or(DeviceId{}), *body);
  record.delivery.session = kNoticeSession;
  record.delivery.packet = static_cast<std::uint16_t>(1 + seq % 65'535);
  record.delivery.hash = static_cast<std::uint64_t>(seq) & 0xFFFFFFFFFFFFULL;
  record.delivery.dup = true;
  auto held = std::make_shared<Done>(std::move(done));
  const Status taken =
      journal_.append(record, nullptr, [held](Status stored) { (*held)(std::move(stored)); });
  if (!taken) (*held)(taken);
}

// The claim's page turns green by this notice; once in a device's life.
void Intake::first_reading(DeviceId device, std::string metric, WallTime at) {
  const bool first = reported_.with([&](auto& reported) { return reported.insert(device).second; });
  if (!first) return;
  const bool posted = workers_.post([this, alive = std::weak_ptr(alive_), device,
                                     metric = std::move(metric), at] {
    if (!alive.lock()) return;
    const Status told = store_.record(
        core::Caller::device(device), "device.first_reading", [&](core::Change& change) -> Status {
          const auto rows =
              TRY(change.tx().exec("INSERT INTO first_reading (device_id,metric,at) VALUES (?,?,?) "
                                   "ON CONFLICT (device_id) DO NOTHING",
                                   {device, metric, at}));
          if (rows == 0) return {};
          return change.notice(
              "device.first_reading",
              wire::json_text(wire::JsonObject{
                  {"device_id", device.text()}, {"metric", metric}, {"at", at.us}}));
        });
    if (!told) reported_.with([&](auto& reported) { reported.erase(device); });
  });
  if (!posted) reported_.with([&](auto& reported) { reported.erase(device); });
}

}  // namespace holdfast::telemetry
