#include "server/core/answers.hpp"

#include "libs/http/conditional.hpp"
#include "server/core/operation.hpp"

namespace holdfast::core {

wire::Json time_or_null(const std::optional<WallTime>& time) {
  return time ? wire::Json(to_rfc3339(*time)) : wire::Json(nullptr);
}

wire::Json text_or_null(std::string_view text) {
  return text.empty() ? wire::Json(nullptr) : wire::Json(text);
}

http::Response json_response(int status, const wire::Json& body) {
  return http::json(status, wire::json_text(body));
}

http::Response object_response(int status, const wire::Json& object, std::int64_t revision,
                               std::string_view location) {
  http::Response response = json_response(status, object);
  response.headers.set("ETag", http::etag(static_cast<std::uint64_t>(revision)));
  if (!location.empty()) response.headers.set("Location", location);
  return response;
}

http::Response page_response(wire::JsonArray items, std::string_view next, wire::JsonObject more) {
  wire::JsonObject body{{"items", std::move(items)},
                        {"next_cursor", text_or_null(next.empty() ? "" : make_cursor(next))}};
  for (auto& member : more) body[member.key()] = std::move(member.value());
  return json_response(200, body);
}

}  // namespace holdfast::core
