// JSON (RFC 8259) over Boost.JSON: bounded parsing with exact positions in errors, serialising, and
// typed reads of members whose errors carry a JSON pointer (RFC 6901).
//
// Integers between INT64_MIN and UINT64_MAX are exact; every other number is the nearest double,
// and the shortest text that reads back as that double is written. What does not fit a double is
// refused. Errors: Code::malformed_body (cannot be read; message says line, column and why),
// Code::body_too_large (above bytes_max), Code::invalid_argument (member missing or of another
// type; Error.pointer names it). Device payloads want Code::payload_malformed: see as_payload().
// Pure; thread-safe. Boost.JSON's at(), as_...() and value_to() throw: use if_...() and these.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/wire/value.hpp"

namespace holdfast::wire {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

enum class Duplicates { refuse, last_counts };

struct JsonLimits {
  std::size_t bytes_max = 1 << 20;
  std::size_t depth_max = 32;  // nested arrays and objects
  Duplicates duplicates = Duplicates::refuse;
};
// Operators' requests, configuration, files.
inline constexpr JsonLimits kJsonStrict{};
// Payloads of devices (device-protocol.md section 6): at most 16 deep, the last of two members
// counts.
inline constexpr JsonLimits kJsonDevice{262'144, 16, Duplicates::last_counts};

Result<Json> parse_json(std::string_view text, const JsonLimits& limits = kJsonStrict);
Result<Json> parse_json(View bytes, const JsonLimits& limits = kJsonStrict);

// One line, no spaces, members in their order. A double that is not finite becomes null.
std::string json_text(const Json& value);
// Two spaces of indent, for people.
std::string json_pretty(const Json& value);

// Scalars only; Code::invalid_argument for arrays, objects and integers above INT64_MAX become
// double.
Result<Value> to_value(const Json& scalar);
Json to_json(const Value& value);

// The same failure as a device sees it: Code::payload_malformed or Code::payload_too_large.
Error as_payload(Error error);

// ---- members. `at` is the pointer of the object itself ("" at the root), so that errors name the
// whole path. get_... wants the member; find_... answers nullopt when it is absent or null.

std::string pointer_to(std::string_view at, std::string_view key);  // escapes ~ and /
std::string pointer_to(std::string_view at, std::size_t index);

// The value itself as an object, or an error that names `at`.
Result<const JsonObject*> as_object(const Json& value, std::string_view at = "");
Result<const JsonArray*> as_array(const Json& value, std::string_view at = "");

Result<std::string> get_string(const JsonObject& object, std::string_view key,
                               std::string_view at = "");
Result<bool> get_bool(const JsonObject& object, std::string_view key, std::string_view at = "");
Result<std::int64_t> get_int(const JsonObject& object, std::string_view key,
                             std::string_view at = "",
                             std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                             std::int64_t most = std::numeric_limits<std::int64_t>::max());
Result<double> get_double(const JsonObject& object, std::string_view key, std::string_view at = "");
Result<const JsonObject*> get_object(const JsonObject& object, std::string_view key,
                                     std::string_view at = "");
Result<const JsonArray*> get_array(const JsonObject& object, std::string_view key,
                                   std::string_view at = "");

Result<std::optional<std::string>> find_string(const JsonObject& object, std::string_view key,
                                               std::string_view at = "");
Result<std::optional<bool>> find_bool(const JsonObject& object, std::string_view key,
                                      std::string_view at = "");
Result<std::optional<std::int64_t>> find_int(
    const JsonObject& object, std::string_view key, std::string_view at = "",
    std::int64_t least = std::numeric_limits<std::int64_t>::min(),
    std::int64_t most = std::numeric_limits<std::int64_t>::max());
Result<std::optional<double>> find_double(const JsonObject& object, std::string_view key,
                                          std::string_view at = "");
// nullptr when absent or null.
Result<const JsonObject*> find_object(const JsonObject& object, std::string_view key,
                                      std::string_view at = "");
Result<const JsonArray*> find_array(const JsonObject& object, std::string_view key,
                                    std::string_view at = "");

// Code::unknown_field for a member that is not in `known`, naming it and the nearest known one.
Status only_members(const JsonObject& object, std::initializer_list<std::string_view> known,
                    std::string_view at = "");

}  // namespace holdfast::wire
