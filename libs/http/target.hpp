// Request targets (RFC 9112 section 3.2) taken apart and decoded, and put together again. Pure.
//
// Refused (malformed_body, or uri_too_long): what is longer than kTargetMax bytes, a broken percent
// code, a control character, text that is not UTF-8, a segment "." or "..". Two slashes in a row
// give an empty segment, which no route matches.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"

namespace holdfast::http {

inline constexpr std::size_t kTargetMax = 12 * 1024;  // bytes
inline constexpr std::size_t kQueryParamsMax = 512;

using Params = std::vector<std::pair<std::string, std::string>>;  // decoded; names may repeat

struct Target {
  std::string path;                   // as received, without the query: "/v1/devices/dev_1"
  std::vector<std::string> segments;  // decoded: {"v1", "devices", "dev_1"}; "/" has none
  Params query;                       // decoded; '+' is a space
};

// Origin form ("/a?b"), absolute form ("https://host/a?b", of which only the path counts), or "*".
Result<Target> parse_target(std::string_view text);

// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
std::string encode_component(std::string_view text);
// "/v1/devices" and {{"limit", "5"}} give "/v1/devices?limit=5".
std::string with_query(std::string_view path, const Params& query);

}  // namespace holdfast::http
