#include "server/telemetry/keeping.hpp"

#include <algorithm>

#include "libs/wire/json.hpp"

namespace holdfast::telemetry {
namespace {

constexpr std::string_view kKeepTables = R"(
CREATE TABLE retention_class (
  name {text} PRIMARY KEY, id {int} NOT NULL UNIQUE, rule {text} NOT NULL
) {strict};
)";
constexpr std::int64_t kSecondsMax = 100LL * 366 * 86'400;

Error bad_member(std::string_view member, std::string_view why) {
  Error error{Code::invalid_argument, std::string(member) + ": " + std::string(why), {}, {}, {}};
  return error;
}

Result<std::optional<Duration>> time_of(const wire::JsonObject& object, std::string_view member,
                                        std::int64_t least) {
  const auto* value = object.if_contains(member);
  if (value == nullptr || value->is_null()) return std::optional<Duration>();
  const std::int64_t number = TRY(wire::get_int(object, member));
  if (number < least || number > kSecondsMax)
    return std::unexpected(bad_member(member, "give " + std::to_string(least) + " to " +
                                                  std::to_string(kSecondsMax) + " seconds"));
  return std::optional<Duration>(seconds(number));
}

wire::Json seconds_json(const std::optional<Duration>& time) {
  return time ? wire::Json(time->us / 1'000'000) : wire::Json(nullptr);
}

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

Result<KeepRule> keep_rule(std::string_view name, const wire::Json& body) {
  if (!good_name(name))
    return fail(Code::invalid_argument, "a class's name has 1 to 64 of a-z, 0-9, - and _");
  const auto& object = *TRY(wire::as_object(body));
  TRY(wire::only_members(object, {"keep_s", "bytes_max", "rollup_s", "rollup_keep_s", "streams"}));
  KeepRule rule;
  rule.of.name = name;
  rule.configured = false;
  rule.of.keep = TRY(time_of(object, "keep_s", 3'600));
  rule.of.rollup = TRY(time_of(object, "rollup_s", 60));
  rule.of.rollup_keep = TRY(time_of(object, "rollup_keep_s", 3'600));
  if (const auto* bytes = object.if_contains("bytes_max"); bytes != nullptr && !bytes->is_null()) {
    const std::int64_t number = TRY(wire::get_int(object, "bytes_max"));
    if (number < 1'048'576) return std::unexpected(bad_member("bytes_max", "at least 1 MiB"));
    rule.of.bytes_max = static_cast<std::uint64_t>(number);
  }
  if (const auto* list = object.if_contains("streams"); list != nullptr) {
    for (const wire::Json& stream : *TRY(wire::get_array(object, "streams"))) {
      const auto* text = stream.if_string();
      if (text == nullptr || text->empty() || text->size() > series::kStreamBytesMax)
        return std::unexpected(bad_member("streams", "names of streams, 1 to 64 bytes each"));
      rule.streams.emplace_back(*text);
    }
  }
  if (rule.streams.size() > kClassStreamsMax)
    return std::unexpected(bad_member("streams", "at most 256"));
  std::ranges::sort(rule.streams);
  const bool own = name == kDefaultClass || name == kEventsClass;
  if (own && !rule.streams.empty())
    return std::unexpected(bad_member("streams", "this class has what no other class names"));
  if (!own && rule.streams.empty())
    return std::unexpected(
        bad_member("streams", "name the streams whose readings are of this class"));
  if (name == kEventsClass && rule.of.rollup)
    return std::unexpected(bad_member("rollup_s", "events have no roll-ups"));
  return rule;
}

wire::JsonObject keep_json(const KeepRule& rule) {
  wire::JsonArray streams;
  for (const std::string& stream : rule.streams) streams.emplace_back(stream);
  return {{"name", rule.of.name},
          {"keep_s", seconds_json(rule.of.keep)},
          {"bytes_max", rule.of.bytes_max ? wire::Json(*rule.of.bytes_max) : wire::Json(nullptr)},
          {"rollup_s", seconds_json(rule.of.rollup)},
          {"rollup_keep_s", seconds_json(rule.of.rollup_keep)},
          {"streams", std::move(streams)},
          {"origin", rule.configured ? "configuration" : "operator"}};
}

std::string_view keeping_tables() {
  return kKeepTables;
}

Result<std::unique_ptr<Keeping>> Keeping::make(Around around, Duration readings, Duration events) {
  std::unique_ptr<Keeping> out(new Keeping(std::move(around)));
  Rules rules;
  rules[std::string(kDefaultClass)].of = {0, std::string(kDefaultClass), readings, {}, {}, {}};
  rules[std::string(kEventsClass)].of = {0, std::string(kEventsClass), events, {}, {}, {}};
  struct Row {
    std::string name, rule;
    std::int64_t id = 0;
  };
  std::vector<Row> rows;
  TRY(out->around_.store.read([&](sql::Tx& tx) -> Status {
    rows =
        TRY(tx.list("SELECT name,id,rule FROM retention_class ORDER BY name", {},
                    [](sql::Row& row) { return Row{row.text(0), row.text(2), row.integer(1)}; }));
    return {};
  }));
  for (const Row& row : rows) {
    KeepRule rule = TRY(keep_rule(row.name, TRY(wire::parse_json(row.rule))));
    rule.of.id = static_cast<series::ClassId>(row.id);
    rules[row.name] = std::move(rule);
  }
  TRY(out->enforce(rules));
  return out;
}

series::ClassId Keeping::class_of(std::string_view stream) const {
  return streams_.with([&](const auto& streams) -> series::ClassId {
    const auto at = streams.find(stream);
    return at == streams.end() ? series::ClassId{0} : at->second;
  });
}

std::vector<KeepRule> Keeping::rules() const {
  std::vector<KeepRule> out;
  rules_.with([&](const Rules& rules) {
    for (const auto& [name, rule] : rules) out.push_back(rule);
  });
  return out;
}

Status Keeping::enforce(const Rules& rules) {
  std::vector<series::RetentionClass> classes;
  std::map<std::string, series::ClassId, std::less<>> streams;
  for (const auto& [name, rule] : rules) {
    if (name == kEventsClass) continue;
    classes.push_back(rule.of);
    for (const std::string& stream : rule.streams) streams[stream] = rule.of.id;
  }
  TRY(around_.series.set_retention(std::move(classes)));
  const auto& events = rules.at(std::string(kEventsClass)).of;
  TRY(around_.events.set_retention(events.keep, events.bytes_max));
  rules_.with([&](Rules& now) { now = rules; });
  streams_.with([&](auto& now) { now = std::move(streams); });
  return {};
}

Status Keeping::check(const Rules& rules, const KeepRule& rule) {
  if (!rules.contains(rule.of.name) && rules.size() >= kClassesMax)
    return fail(Code::quota_exceeded, "there are 64 retention classes, which is the limit");
  for (const auto& [name, other] : rules) {
    if (name == rule.of.name) continue;
    for (const std::string& stream : rule.streams) {
      if (std::ranges::binary_search(other.streams, stream))
        return fail(Code::conflict,
                    "stream \"" + stream + "\" is of class \"" + name + "\" already");
    }
  }
  return series::check_class(rule.of);
}

Result<KeepRule> Keeping::set(const core::Caller& caller, KeepRule rule) {
  Rules rules = rules_.with([](const Rules& all) { return all; });
  TRY(check(rules, rule));
  const auto before = rules.find(rule.of.name);
  TRY(around_.store.change(caller, "set_retention", [&](core::Change& change) -> Status {
    std::int64_t id = before == rules.end() ? 0 : before->second.of.id;
    if (before == rules.end())
      id = TRY(change.tx().one("SELECT coalesce(max(id),0)+1 FROM retention_class WHERE id<1000",
                               {}, [](sql::Row& row) { return row.integer(0); }))
               .value_or(1);
    rule.of.id = static_cast<series::ClassId>(id);
    wire::JsonObject kept = keep_json(rule);
    for (const char* member : {"name", "origin"}) kept.erase(member);
    // The classes that are always there share number 0 in the engines, but not as rows.
    const std::int64_t row_id = rule.of.name == kEventsClass    ? 1'001
                                : rule.of.name == kDefaultClass ? 1'000
                                                                : id;
    TRY(
        change.tx().exec("INSERT INTO retention_class (name,id,rule) VALUES (?,?,?) "
                         "ON CONFLICT (name) DO UPDATE SET rule=excluded.rule",
                         {rule.of.name, row_id, wire::json_text(kept)}));
    return change.audit("retention:" + rule.of.name,
                        before == rules.end() ? "" : wire::json_text(keep_json(before->second)),
                        wire::json_text(keep_json(rule)));
  }));
  rules[rule.of.name] = rule;
  TRY(enforce(rules));
  return rule;
}

Result<std::vector<series::RetentionStep>> Keeping::preview(
    WallTime until, const std::optional<KeepRule>& instead) const {
  Rules rules = rules_.with([](const Rules& all) { return all; });
  if (instead) {
    TRY(check(rules, *instead));
    const auto there = rules.find(instead->of.name);
    KeepRule rule = *instead;
    rule.of.id = there == rules.end() ? series::ClassId{255} : there->second.of.id;
    rules[rule.of.name] = std::move(rule);
  }
  std::vector<series::RetentionClass> classes;
  for (const auto& [name, rule] : rules) {
    if (name != kEventsClass) classes.push_back(rule.of);
  }
  return around_.series.retention_preview(until, classes);
}

// ---- erasure

namespace {

void add(Erasure& sum, const Ulid& device, const series::ErasePreview& readings,
         const events::Receipt& happened) {
  sum.devices.push_back(device);
  sum.readings.devices += readings.devices;
  sum.readings.metrics += readings.metrics;
  sum.readings.points += readings.points;
  sum.readings.bytes += readings.bytes;
  for (auto [into, from] : {std::pair(&sum.readings.first, &readings.first)}) {
    if (*from && (!*into || **from < **into)) *into = *from;
  }
  if (readings.last && (!sum.readings.last || *sum.readings.last < *readings.last))
    sum.readings.last = readings.last;
  sum.events.events += happened.events;
  sum.events.segments += happened.segments;
}

}  // namespace

Result<Erasure> Keeping::erase_preview(const std::vector<Ulid>& devices) const {
  // What is not sealed yet counts as well.
  TRY(around_.journal.roll());
  Erasure sum;
  for (const Ulid& device : devices)
    add(sum, device, TRY(around_.series.erase_preview(device)),
        TRY(around_.events.erase_preview(device)));
  return sum;
}

// In this order: what the journal holds moves into files, whose keys then go; a crash in between
// leaves something to erase again, and never something that looks erased.
Result<Erasure> Keeping::erase(const std::vector<Ulid>& devices) {
  Erasure sum;
  std::vector<std::uint64_t> sessions;
  for (const Ulid& device : devices) {
    add(sum, device, TRY(around_.series.erase(device)), TRY(around_.events.erase(device)));
    const auto of = TRY(around_.sessions(DeviceId{device}));
    sessions.insert(sessions.end(), of.begin(), of.end());
  }
  TRY(around_.journal.erase_windows(sessions));
  return sum;
}

}  // namespace holdfast::telemetry
