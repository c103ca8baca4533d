// GET /v1/stream: the live changes that lists and pages follow.
#pragma once

#include "server/api/live_hub.hpp"
#include "server/core/operation.hpp"

namespace holdfast::api {

Status add_live_routes(core::Operations& operations, LiveHub& hub);

// Pure: what a request wishes to see.
Result<LiveHub::Wish> wish_of(const core::Call& call);

}  // namespace holdfast::api
