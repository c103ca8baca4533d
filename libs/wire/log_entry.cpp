// Logs and events of devices (contract/device-protocol.md, 6.2 and 6.3).
#include <algorithm>
#include <array>

#include "libs/wire/telemetry.hpp"

namespace holdfast::wire {
namespace {

constexpr std::array<std::string_view, 6> kSeverityNames = {"debug",   "info",  "notice",
                                                            "warning", "error", "critical"};

Result<Json> parse_device_json(View payload) {
  auto parsed = parse_json(payload, kJsonDevice);
  if (!parsed) return std::unexpected(as_payload(std::move(parsed.error())));
  return parsed;
}

Result<LogEntry> read_entry(const Json& value, std::string_view at,
                            std::optional<std::string_view> default_message) {
  const auto* object = TRY(as_object(value, at));
  LogEntry entry;
  auto message = TRY(find_string(*object, "message", at));
  if (!message && !default_message) TRY(get_string(*object, "message", at));  // says it is missing
  entry.message = message ? std::move(*message) : std::string(*default_message);
  if (entry.message.size() > kLogMessageBytesMax) {
    Error error{Code::payload_malformed,
                "the message is longer than 8192 bytes",
                {},
                {},
                pointer_to(at, "message")};
    return std::unexpected(std::move(error));
  }
  if (const auto severity = TRY(find_string(*object, "severity", at))) {
    entry.severity = severity_named(*severity).value_or(Severity::info);
  }
  const auto* time = object->if_contains("time");
  if (time != nullptr && !time->is_null()) {
    entry.device_time = TRY(device_time_of(*time, pointer_to(at, "time")));
  }
  const auto* fields = TRY(find_object(*object, "fields", at));
  if (fields != nullptr) entry.fields = *fields;
  return entry;
}

Result<std::vector<LogEntry>> read_entries(const Json& payload) {
  std::vector<LogEntry> entries;
  const auto* batch = payload.if_array();
  if (batch == nullptr) {
    entries.push_back(TRY(read_entry(payload, "", std::nullopt)));
    return entries;
  }
  if (batch->empty()) return fail(Code::payload_malformed, "the list of log entries is empty");
  if (batch->size() > kLogEntriesMax) {
    return fail(Code::payload_too_large, "more than 1000 log entries in one message; split it");
  }
  for (std::size_t i = 0; i < batch->size(); ++i) {
    entries.push_back(TRY(read_entry((*batch)[i], pointer_to("", i), std::nullopt)));
  }
  return entries;
}

template <class T>
Result<T> payload_result(Result<T> result) {
  if (!result) result.error() = as_payload(std::move(result.error()));
  return result;
}

}  // namespace

std::string_view name_of(Severity severity) {
  return kSeverityNames[static_cast<std::size_t>(severity)];
}

std::optional<Severity> severity_named(std::string_view name) {
  const auto found = std::ranges::find(kSeverityNames, name);
  if (found == kSeverityNames.end()) return std::nullopt;
  return static_cast<Severity>(found - kSeverityNames.begin());
}

bool LogEntry::operator==(const LogEntry& other) const {
  return message == other.message && severity == other.severity &&
         device_time == other.device_time && fields == other.fields;
}

Result<std::vector<LogEntry>> decode_log(View payload) {
  const auto parsed = TRY(parse_device_json(payload));
  return payload_result(read_entries(parsed));
}

Result<LogEntry> decode_event(View payload, std::string_view name) {
  const auto parsed = TRY(parse_device_json(payload));
  return payload_result(read_entry(parsed, "", name));
}

}  // namespace holdfast::wire
