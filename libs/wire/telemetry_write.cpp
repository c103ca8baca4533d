// The agent's way up: readings and log entries as JSON.
#include <cmath>

#include "libs/wire/telemetry.hpp"

namespace holdfast::wire {
namespace {

Status check_field(const Field& field) {
  const auto wrong = [&field](std::string_view what) {
    return fail(Code::invalid_argument, "field \"" + field.name + "\" " + std::string(what));
  };
  if (field.name == "time") return wrong("would be read as the time of the sample");
  if (!valid_field_name(field.name)) return wrong("has no valid name");
  if (std::holds_alternative<std::monostate>(field.value)) return wrong("has no value");
  const auto* real = std::get_if<double>(&field.value);
  if (real != nullptr && !std::isfinite(*real)) return wrong("is not a finite number");
  return {};
}

Result<JsonObject> sample_object(const Reading& reading) {
  JsonObject sample;
  if (reading.device_time) sample["time"] = to_rfc3339(*reading.device_time);
  for (const auto& field : reading.fields) {
    TRY(check_field(field));
    sample[field.name] = to_json(field.value);
  }
  return sample;
}

}  // namespace

Result<std::string> encode_telemetry(const std::vector<Reading>& readings) {
  if (readings.size() == 1) return json_text(TRY(sample_object(readings.front())));
  JsonArray batch;
  for (const auto& reading : readings) batch.push_back(TRY(sample_object(reading)));
  return json_text(batch);
}

std::string encode_log(const LogEntry& entry) {
  JsonObject out;
  if (entry.device_time) out["time"] = to_rfc3339(*entry.device_time);
  out["severity"] = name_of(entry.severity);
  out["message"] = entry.message;
  if (!entry.fields.empty()) out["fields"] = entry.fields;
  return json_text(out);
}

}  // namespace holdfast::wire
