// Inside of the JSON codec: parsing into memory that the caller owns, for the telemetry path.
#pragma once

#include "libs/wire/json.hpp"

namespace holdfast::wire {

// As parse_json; the value and all in it live in `storage`.
Result<Json> parse_json_into(std::string_view text, const JsonLimits& limits,
                             boost::json::storage_ptr storage);

}  // namespace holdfast::wire
