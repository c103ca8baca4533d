// Claims as the contract's JSON. Pure. A claim's secret is never in it.
#pragma once

#include "libs/wire/json.hpp"
#include "server/identity/model.hpp"

namespace holdfast::identity {

wire::JsonObject claim_json(const Claim& claim, WallTime now);
struct EnrolmentRequest;
struct Registration;
wire::JsonObject request_json(const EnrolmentRequest& request);
wire::JsonObject registration_json(const Registration& registration);
struct Receipt;
struct Replacement;
wire::JsonObject receipt_json(const Receipt& receipt);
wire::JsonObject replacement_json(const Replacement& replacement);
// With its secrets: what its maker gets, once.
wire::JsonObject new_claim_json(const Claim& claim, std::string_view secret, std::string_view code);
wire::JsonObject claim_audit(const Claim& claim, WallTime now);

}  // namespace holdfast::identity
