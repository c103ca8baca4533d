// What requests, answers and rows of identity share: ids that may be missing, and tags. Pure but
// for the row that is marked; thread-safe.
#pragma once

#include "libs/wire/json.hpp"
#include "server/devices/model.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::identity {

// Of a request's body; errors name the member.
template <class IdType>
Result<std::optional<IdType>> id_member(const wire::JsonObject& body, std::string_view name) {
  const auto text = TRY(wire::find_string(body, name));
  if (!text) return std::nullopt;
  auto id = IdType::parse(*text);
  if (id) return *id;
  id.error().pointer = wire::pointer_to("", name);
  return std::unexpected(id.error());
}
// "tags": {"key":"value"}; empty when there are none.
Result<devices::Tags> tags_member(const wire::JsonObject& body);

// As answers and rows spell them.
wire::JsonObject tags_object(const devices::Tags& tags);
// `damaged` is said of the row where they do not parse.
devices::Tags read_tags(sql::Row& row, int column, std::string damaged);

}  // namespace holdfast::identity
