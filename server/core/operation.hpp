// Operations: how a domain answers an operation of contract/openapi.yaml. A domain's routes.cpp
// adds one handler per operationId; server/api does everything before it, in this order: request
// id, authentication, permission (403 before 404, 422 and 428), body and Idempotency-Key; and
// everything after it: problems, headers, metrics.
//
// Threads: a handler runs on a worker and may block; a streaming handler too, and then lets the
// EventStream live wherever its events come from. add() before the server starts.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/http/message.hpp"
#include "libs/http/responder.hpp"
#include "libs/wire/json.hpp"
#include "server/core/authz.hpp"

namespace holdfast::core {

struct Call {
  const Caller& caller;
  const http::Request& request;
  const wire::Json& body;  // null for operations without a JSON body
  WallTime now;

  // "{device_id}" of the path.
  std::string_view path(std::string_view name) const { return request.param(name); }
  std::optional<std::string_view> query(std::string_view name) const {
    return request.query_value(name);
  }
  // An id of the path; one that cannot be parsed answers as one that does not exist, by
  // refuse_missing().
  template <class IdType>
  Result<IdType> id(std::string_view name, std::string_view permission) const {
    auto parsed = IdType::parse(path(name));
    if (!parsed) {
      return std::unexpected(
          refuse_missing(caller, permission, "there is no " + std::string(path(name))));
    }
    return *parsed;
  }
};

// invalid_argument that names the query parameter.
Error bad_parameter(std::string_view name, std::string_view why);
// Query parameters that many lists share; invalid ones are invalid_argument naming the parameter.
struct Page {
  std::size_t limit = 100;
  std::string cursor;  // opaque text of the page before; empty: the first page
};
Result<Page> page_of(const Call& call, std::size_t limit_default = 100,
                     std::size_t limit_max = 1000);
// `from`, `to` (RFC 3339) and `since` (a duration back from now, or a time).
struct Span {
  std::optional<WallTime> from, to;
};
Result<Span> span_of(const Call& call);
// Cursors are sealed against accident, not against people: base64url of "v1|" and the key.
std::string make_cursor(std::string_view key);
Result<std::string> read_cursor(std::string_view cursor);  // Code::invalid_argument

using Handler = std::function<Result<http::Response>(const Call& call)>;
using StreamHandler = std::function<void(const Call& call, http::Responder responder)>;
// What may come after a handler's success, or after the stored answer of an Idempotency-Key: true
// when it has taken the responder, to answer later in place of `first`.
using FollowHandler =
    std::function<bool(const Call& call, const http::Response& first, http::Responder& responder)>;

class Operations {
 public:
  // Bugs, and so Code::internal: an id that the contract does not have, or one added twice.
  Status add(std::string_view operation_id, Handler handler, FollowHandler follow = {});
  Status add_stream(std::string_view operation_id, StreamHandler handler);

  struct Entry {
    Handler handler;
    StreamHandler stream;
    FollowHandler follow;
  };
  const Entry* find(std::string_view operation_id) const;
  // Operations of the contract without a handler.
  std::vector<std::string_view> missing() const;

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace holdfast::core
