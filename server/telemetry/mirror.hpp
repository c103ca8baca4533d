// Mirror: what the server did to a device becomes an event of its timeline, from the notices. Stored
// once for each notice, and durable before the notice counts as handled.
// Threads: subscribe() before the dispatcher starts.
#pragma once

#include "server/core/notices.hpp"
#include "server/telemetry/intake.hpp"

namespace holdfast::telemetry {

Status mirror_notices(core::Dispatcher& dispatcher, Intake& intake);

// Pure: the event of a notice; nullopt for one that has none. Error: its payload does not parse.
Result<std::optional<ServerEvent>> event_of(const core::Notice& notice);

}  // namespace holdfast::telemetry
