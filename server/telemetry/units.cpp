#include "server/telemetry/units.hpp"

#include "libs/wire/json.hpp"

namespace holdfast::telemetry {

Status Units::follow(core::Dispatcher& dispatcher) {
  return dispatcher.follow({"type.changed", "type.deleted"}, [this](const core::Notice&) {
    types_.with([](auto& types) { types.clear(); });
  });
}

std::optional<std::string> Units::unit_of(const std::optional<TypeId>& type,
                                          std::string_view metric) {
  if (!type) return std::nullopt;
  const bool known = types_.with([&](const auto& types) { return types.contains(*type); });
  if (!known) {
    OfType units;
    const auto streams = read_(*type);
    if (!streams) return std::nullopt;  // not remembered: the next one asks again
    const auto* list = streams->if_array();
    for (const wire::Json& entry : list == nullptr ? wire::JsonArray{} : *list) {
      const auto* object = entry.if_object();
      if (object == nullptr) continue;
      const auto stream = wire::get_string(*object, "stream");
      const auto field = wire::get_string(*object, "field");
      const auto unit = wire::find_string(*object, "unit");
      if (stream && field && unit && *unit) units[*stream + "." + *field] = **unit;
    }
    types_.with([&](auto& types) { types.insert_or_assign(*type, std::move(units)); });
  }
  return types_.with([&](const auto& types) -> std::optional<std::string> {
    const auto at = types.find(*type);
    if (at == types.end()) return std::nullopt;
    auto unit = at->second.find(metric);
    if (unit == at->second.end())
      unit = at->second.find(std::string(metric.substr(0, metric.find('.'))) + ".*");
    if (unit == at->second.end()) return std::nullopt;
    return unit->second;
  });
}

}  // namespace holdfast::telemetry
