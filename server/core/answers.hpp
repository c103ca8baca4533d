// Answers: what operations send back, spelled once: null for what is not there, one page of a list,
// an object with its revision. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/time.hpp"
#include "libs/http/message.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::core {

template <class IdType>
wire::Json id_or_null(const std::optional<IdType>& id) {
  return id ? wire::Json(id->text()) : wire::Json(nullptr);
}
wire::Json time_or_null(const std::optional<WallTime>& time);
wire::Json text_or_null(std::string_view text);  // "" is null

http::Response json_response(int status, const wire::Json& body);
// With the object's revision as ETag; a new one says where it lies.
http::Response object_response(int status, const wire::Json& object, std::int64_t revision,
                               std::string_view location = {});

// One page of a list: {"items":[...],"next_cursor":"..."} and what else the list says. `next` is
// the key that make_cursor() takes; empty at the end of the list.
http::Response page_response(wire::JsonArray items, std::string_view next,
                             wire::JsonObject more = {});

// For lists that ask for one more than the page holds, to know whether another follows: drops that
// one, and answers the key of the last that stays. Empty when nothing follows.
template <class T, class KeyOf>
std::string end_page(std::vector<T>& found, std::size_t limit, const KeyOf& key_of) {
  if (found.size() <= limit) return {};
  found.resize(limit);
  return key_of(found.back());
}

template <class T, class One, class KeyOf>
http::Response list_response(std::vector<T> found, std::size_t limit, const One& one,
                             const KeyOf& key_of) {
  const std::string next = end_page(found, limit, key_of);
  wire::JsonArray items;
  for (const T& item : found) items.push_back(one(item));
  return page_response(std::move(items), next);
}

}  // namespace holdfast::core
