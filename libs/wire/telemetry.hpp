// What devices send on telemetry/<stream>, log and event/<name> (contract/device-protocol.md,
// sections 6.2, 6.3, 7): JSON or SenML bytes become samples and log entries. All of a message is
// decoded, or nothing.
//
// Errors: Code::payload_malformed (pointer and message name the member), Code::payload_too_large.
// No clock: a time relative to the arrival stays relative. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/wire/json.hpp"
#include "libs/wire/value.hpp"

namespace holdfast::wire {

struct Field {
  std::string name;  // [A-Za-z0-9][A-Za-z0-9_:/.-]{0,127}; unique in its Reading
  Value value;       // never null
  std::string unit;  // SenML's, where given
  bool operator==(const Field&) const = default;
};

// One sample: fields that share a time.
struct Reading {
  std::optional<WallTime> device_time;
  Duration offset;  // without device_time: the reading's time is the arrival plus this (SenML)
  std::vector<Field> fields;
  bool operator==(const Reading&) const = default;
};

struct TelemetryLimits {
  std::size_t bytes_max = 262'144;
  std::size_t fields_max = 10'000;  // of the whole message
  std::size_t string_bytes_max = 4'096;
};
inline constexpr std::size_t kFieldNameBytesMax = 128;
inline constexpr std::size_t kFieldLevelsMax = 4;

// How the bytes are read. sniff: first byte 0x80 to 0x9F is SenML CBOR; a JSON array whose first
// element has a string member `n` or `bn` is SenML JSON; anything else JSON.
enum class TelemetryFormat { sniff, json, senml_json, senml_cbor };
// Of application/json, application/senml+json, application/senml+cbor, with or without parameters;
// empty and application/octet-stream are sniffed. Anything else: nullopt.
std::optional<TelemetryFormat> format_of(std::string_view content_type);

// `device_id`, followed by ':' or '/', is dropped from the front of SenML names. Samples without a
// field are left out, so that the result may be empty ("{}", "[]", only nulls).
Result<std::vector<Reading>> decode_telemetry(View payload,
                                              TelemetryFormat format = TelemetryFormat::sniff,
                                              std::string_view device_id = {},
                                              const TelemetryLimits& limits = {});

// The agent's way up: a JSON object for one reading, an array for several; device_time as RFC 3339.
// Code::invalid_argument for a field that would not come back: the name `time` or one outside the
// rule, null, a double that is not finite. Offsets and units have no place in it.
Result<std::string> encode_telemetry(const std::vector<Reading>& readings);

// [A-Za-z0-9][A-Za-z0-9_:/.-]{0,127}
bool valid_field_name(std::string_view name);

enum class Severity { debug, info, notice, warning, error, critical };
std::string_view name_of(Severity severity);
std::optional<Severity> severity_named(std::string_view name);

struct LogEntry {
  std::string message;
  Severity severity = Severity::info;
  std::optional<WallTime> device_time;
  JsonObject fields;
  bool operator==(const LogEntry& other) const;
};
inline constexpr std::size_t kLogEntriesMax = 1'000;
inline constexpr std::size_t kLogMessageBytesMax = 8'192;

// log: an object with `message`, or an array of 1 to kLogEntriesMax of them.
Result<std::vector<LogEntry>> decode_log(View payload);
// event/<name>: one object; without `message` the name is the message.
Result<LogEntry> decode_event(View payload, std::string_view name);
// The agent's way up.
std::string encode_log(const LogEntry& entry);

// RFC 3339, or seconds since 1970 as a number (rounded to microseconds); the error names `at`.
Result<WallTime> device_time_of(const Json& value, std::string_view at);

}  // namespace holdfast::wire
