// One page of a list: asks for one more than the page holds, to know whether another
// follows.
#pragma once

#include "libs/http/conditional.hpp"
#include "libs/wire/json.hpp"
#include "server/core/operation.hpp"
#include "server/core/people.hpp"

namespace holdfast::api {

inline constexpr std::size_t kPageDefault = 100;
inline constexpr std::size_t kPageMax = 1000;

inline Result<core::PeopleQuery> people_query(const core::Call& call) {
  const core::Page page = TRY(core::page_of(call, kPageDefault, kPageMax));
  core::PeopleQuery query;
  query.q = call.query("q").value_or("");
  query.after = page.cursor;
  query.limit = page.limit + 1;
  return query;
}

template <class T>
http::Response one_page(std::vector<T> found, std::size_t limit, wire::Json (*one)(const T&),
                        std::string (*id_of)(const T&)) {
  wire::Json next = nullptr;
  if (found.size() > limit) {
    found.resize(limit);
    next = core::make_cursor(id_of(found.back()));
  }
  wire::JsonArray items;
  for (const T& item : found) items.push_back(one(item));
  return http::json(
      200, wire::json_text(wire::JsonObject{{"items", std::move(items)}, {"next_cursor", next}}));
}

// A 200 or 201 with the object, its ETag and, when it is new, where it lies.
inline http::Response object_response(int status, const wire::Json& object, std::int64_t revision,
                                      std::string_view location = {}) {
  http::Response response = http::json(status, wire::json_text(object));
  response.headers.set("ETag", http::etag(static_cast<std::uint64_t>(revision)));
  if (!location.empty()) response.headers.set("Location", location);
  return response;
}

}  // namespace holdfast::api
