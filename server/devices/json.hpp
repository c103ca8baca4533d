// Devices, sites and types as the contract's JSON. Pure.
#pragma once

#include "server/devices/places.hpp"
#include "server/devices/tables.hpp"

namespace holdfast::devices {

wire::Json device_json(const Device& device, const Presence& presence, WallTime now);
wire::Json presence_json(const Presence& presence, WallTime now);
wire::Json facets_json(const Facets& facets);
wire::Json site_json(const Site& site);
wire::Json type_json(const DeviceType& type);
// The members that an audit entry shows of a device: what operators can change.
std::string audit_text(const Device& device);

// nullopt becomes null.
template <class T>
wire::Json id_or_null(const std::optional<T>& id) {
  return id ? wire::Json(id->text()) : wire::Json(nullptr);
}
inline wire::Json time_or_null(const std::optional<WallTime>& time) {
  return time ? wire::Json(to_rfc3339(*time)) : wire::Json(nullptr);
}

}  // namespace holdfast::devices
