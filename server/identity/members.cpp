#include "server/identity/members.hpp"

namespace holdfast::identity {

Result<devices::Tags> tags_member(const wire::JsonObject& body) {
  devices::Tags out;
  const auto* tags = TRY(wire::find_object(body, "tags"));
  if (tags == nullptr) return out;
  for (const auto& tag : *tags) {
    out[tag.key()] = TRY(wire::get_string(*tags, tag.key(), "/tags"));
  }
  return out;
}

wire::JsonObject tags_object(const devices::Tags& tags) {
  wire::JsonObject out;
  for (const auto& [key, value] : tags) out[key] = value;
  return out;
}

devices::Tags read_tags(sql::Row& row, int column, std::string damaged) {
  devices::Tags out;
  const auto json = wire::parse_json(row.text(column));
  const auto* object = json ? json->if_object() : nullptr;
  if (object == nullptr) {
    row.damaged(std::move(damaged));
    return out;
  }
  for (const auto& member : *object) {
    if (const auto* text = member.value().if_string()) {
      out.emplace(member.key(), std::string(*text));
    }
  }
  return out;
}

}  // namespace holdfast::identity
