// Payloads of devices. Input: one byte that chooses what they are taken for, then the payload.
// Accepted readings keep every bound, and those that JSON can say come back from what the agent
// writes.
#include <cmath>
#include <cstdlib>
#include <set>

#include "libs/wire/telemetry.hpp"

using namespace holdfast;
using namespace holdfast::wire;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class T>
void require_told(const Result<T>& result) {
  const auto code = result.error().code;
  require(code == Code::payload_malformed || code == Code::payload_too_large);
  require(!result.error().message.empty());
}

void check_reading(const Reading& reading) {
  require(!reading.fields.empty());
  std::set<std::string_view> names;
  for (const auto& field : reading.fields) {
    require(valid_field_name(field.name));
    require(names.insert(field.name).second);
    require(!std::holds_alternative<std::monostate>(field.value));
    const auto* real = std::get_if<double>(&field.value);
    require(real == nullptr || std::isfinite(*real));
    const auto* text = std::get_if<std::string>(&field.value);
    require(text == nullptr || text->size() <= TelemetryLimits{}.string_bytes_max);
  }
}

void check_telemetry(View payload, TelemetryFormat format) {
  auto readings = decode_telemetry(payload, format, "dev_1");
  if (!readings) return require_told(readings);
  std::size_t fields = 0;
  for (auto& reading : *readings) {
    check_reading(reading);
    fields += reading.fields.size();
    reading.offset = {};
    for (auto& field : reading.fields) field.unit.clear();
  }
  require(fields <= TelemetryLimits{}.fields_max);
  const auto text = encode_telemetry(*readings);
  if (!text) return require(text.error().message.find("\"time\"") != std::string::npos);
  TelemetryLimits limits;
  limits.bytes_max = text->size();
  const auto again = decode_telemetry(view_of(*text), TelemetryFormat::json, "", limits);
  require(again && *again == *readings);
}

void check_log(View payload) {
  const auto entries = decode_log(payload);
  if (!entries) return require_told(entries);
  for (const auto& entry : *entries) {
    const auto again = decode_event(view_of(encode_log(entry)), "name");
    require(again && *again == entry);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View payload(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      check_telemetry(payload, TelemetryFormat::sniff);
      break;
    case 1:
      check_telemetry(payload, TelemetryFormat::json);
      break;
    case 2:
      check_telemetry(payload, TelemetryFormat::senml_json);
      break;
    case 3:
      check_telemetry(payload, TelemetryFormat::senml_cbor);
      break;
    default:
      check_log(payload);
      break;
  }
  return 0;
}
