// The operations of telemetry, events and the timeline (contract/openapi.yaml).
#pragma once

#include "libs/os/system.hpp"
#include "server/core/operation.hpp"
#include "server/devices/service.hpp"
#include "server/store/events/events.hpp"
#include "server/store/series/series.hpp"
#include "server/telemetry/live.hpp"
#include "server/telemetry/units.hpp"

namespace holdfast::telemetry {

// What the operations ask; all outlive them.
struct Sources {
  core::Store& store;
  devices::Service& devices;
  series::Series& series;
  events::Events& events;
  Live& live;
  Units& units;
};

Status add_routes(core::Operations& operations, const Sources& sources);

// The devices whose events and readings a caller may see, remembered for one answer or one stream;
// all zero (the server itself) only for callers without site limits.
std::function<bool(const Ulid&)> visible_devices(const Sources& sources, const core::Caller& caller,
                                                 std::string_view permission);

}  // namespace holdfast::telemetry
