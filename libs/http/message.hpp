// Request and Response as handlers see them, and problems (RFC 9457) made from errors.
// Values: not shared between threads, but freely moved from one to another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/http/headers.hpp"
#include "libs/http/target.hpp"

namespace holdfast::http {

struct Request {
  std::string method;                 // upper case as sent: "GET"
  std::string path;                   // as received, without the query
  std::vector<std::string> segments;  // decoded
  Params query;                       // decoded
  Params params;                      // what a router took from the path: {device_id}
  Headers headers;
  Bytes body;
  crypto::Peer peer;
  std::string request_id;  // "req_...", also in the answer's X-Request-Id
  bool http11 = true;      // false: HTTP/1.0

  std::optional<std::string_view> header(std::string_view name) const { return headers.get(name); }
  std::optional<std::string_view> query_value(std::string_view name) const;  // the first
  std::vector<std::string_view> query_values(std::string_view name) const;   // all, in order
  std::string_view param(std::string_view name) const;                       // "" if there is none
  // The media type of Content-Type without parameters, in lower case; "" if there is none.
  std::string media_type() const;
};

// The next piece of a body, at most `most` bytes; an empty piece is the end; an error cuts the
// connection, so that the client cannot take a part for the whole. Runs on the server's workers,
// one call at a time, and never faster than the client reads.
using Source = std::move_only_function<Result<Bytes>(std::size_t most)>;

struct Response {
  int status = 200;
  Headers headers;  // Content-Length, Date, Connection and X-Request-Id are the server's
  Bytes body;
  std::shared_ptr<const Bytes> shared_body;  // instead of body: sent without a copy
  Source source;                             // instead of body: pulled piece by piece
  std::optional<std::uint64_t> source_size;  // bytes; without it the body is sent chunked
  bool close = false;                        // end the connection after this answer

  std::uint64_t size() const;  // bytes of body or shared_body
};

// A Response with a Content-Type and a body.
Response content(int status, std::string_view content_type, std::string_view body);
Response json(int status, std::string_view body);
Response no_content();  // 204

// application/problem+json from an error, by the table of contract/problems.yaml. The detail of an
// internal error stays in the log. `instance` is the path of the request. Retry-After is set with
// retry_after_s, and always with 429 and 503; 401 names its scheme in WWW-Authenticate.
inline constexpr std::int64_t kRetryAfter_s = 5;  // unless the caller knows better
struct ProblemContext {
  std::string_view instance;
  std::string_view request_id;
  std::optional<std::int64_t> retry_after_s;
};
Response problem(const Error& error, const ProblemContext& context);

std::string_view reason_phrase(int status);  // RFC 9110 section 15; "" if unknown

}  // namespace holdfast::http
