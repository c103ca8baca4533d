// Payloads that the hub reads before it hands them on: hello and inventory, checked against the
// schemas of contract/device-protocol.md (6.1, 6.4); members that are not known are kept. Error:
// payload_malformed, with the pointer of the member. Pure; thread-safe.
#pragma once

#include "libs/wire/json.hpp"

namespace holdfast::hub {

Result<wire::Json> parse_hello(View payload);
Result<wire::Json> parse_inventory(View payload);

}  // namespace holdfast::hub
