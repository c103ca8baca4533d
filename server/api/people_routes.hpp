// The operations of people: set-up, sign-in, users, tokens (contract/openapi.yaml).
#pragma once

#include "server/core/operation.hpp"
#include "server/core/people.hpp"

namespace holdfast::api {

// `people` outlives the operations.
Status add_session_routes(core::Operations& operations, core::People& people);
Status add_user_routes(core::Operations& operations, core::People& people);
Status add_token_routes(core::Operations& operations, core::People& people);

}  // namespace holdfast::api
