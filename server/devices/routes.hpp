// The operations of devices, sites and types (contract/openapi.yaml).
#pragma once

#include "server/core/operation.hpp"
#include "server/devices/places.hpp"
#include "server/devices/registry.hpp"

namespace holdfast::devices {

// registry and places outlive the operations.
Status add_routes(core::Operations& operations, Registry& registry, Places& places);

// Pure: the query of list_devices and get_device_facets.
Result<ListQuery> list_query(const core::Call& call);

}  // namespace holdfast::devices
