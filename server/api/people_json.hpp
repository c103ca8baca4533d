// Users, tokens and sessions as the contract spells them. Pure.
#pragma once

#include "libs/wire/json.hpp"
#include "server/core/people.hpp"

namespace holdfast::api {

wire::Json user_json(const core::User& user);
wire::Json token_json(const core::Token& token);
wire::Json session_json(const core::Caller& caller, std::optional<WallTime> expires_at);

Result<core::NewUser> new_user_of(const wire::Json& body);
Result<core::UserPatch> user_patch_of(const wire::Json& body);
Result<core::NewToken> new_token_of(const wire::Json& body);
Result<core::TokenPatch> token_patch_of(const wire::Json& body);

}  // namespace holdfast::api
