// What flows down, asked of the domain that keeps it; for sessions and long polls. Functions block
// on SQL: call them from workers.
#pragma once

#include "server/hub/session/model.hpp"

namespace holdfast::hub {

// What Fetch asks for.
Result<Fetched> fetch(control::Service& control, DeviceId device, const Fetch& asked);
// Tells that these are about to be sent; those that were withdrawn meanwhile come back as dropped.
Result<Prepared> tell_sent(control::Service& control, DeviceId device,
                           const std::vector<std::string>& keys, WallTime at);

}  // namespace holdfast::hub
