// Devices, sites and types as the contract's JSON. Pure.
#pragma once

#include "server/core/answers.hpp"
#include "server/devices/places.hpp"
#include "server/devices/tables.hpp"

namespace holdfast::devices {

using core::id_or_null;
using core::text_or_null;
using core::time_or_null;

wire::Json device_json(const Device& device, const Presence& presence, WallTime now);
wire::Json presence_json(const Presence& presence, WallTime now);
wire::Json facets_json(const Facets& facets);
wire::Json site_json(const Site& site);
wire::Json type_json(const DeviceType& type);
// The members that an audit entry shows of a device: what operators can change.
std::string audit_text(const Device& device);

}  // namespace holdfast::devices
