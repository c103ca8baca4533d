#include "sim/ledger.hpp"

#include "libs/wire/telemetry.hpp"

namespace holdfast::sim {
namespace {

constexpr std::string_view kTelemetry = "telemetry/";

}  // namespace

void Ledger::acknowledged(std::string_view topic, std::string_view payload) {
  ++messages_;
  if (!topic.starts_with(kTelemetry)) return;
  const std::string stream(topic.substr(kTelemetry.size()));
  const auto readings = wire::decode_telemetry(view_of(payload));
  if (!readings) return confused("acknowledged telemetry does not parse: " + readings.error().text());
  for (const wire::Reading& reading : *readings) {
    for (const wire::Field& field : reading.fields) {
      std::set<double>& values = readings_[stream + "." + field.name];
      if (const auto* whole = std::get_if<std::int64_t>(&field.value)) {
        values.insert(static_cast<double>(*whole));
      } else if (const auto* real = std::get_if<double>(&field.value)) {
        values.insert(*real);
      }
    }
  }
}

}  // namespace holdfast::sim
