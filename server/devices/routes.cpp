#include "server/devices/routes.hpp"

#include "libs/http/conditional.hpp"
#include "server/devices/json.hpp"

namespace holdfast::devices {
namespace {

using core::Call;
using http::Response;

template <class IdType>
Result<std::vector<IdType>> ids_of(const Call& call, std::string_view name) {
  std::vector<IdType> ids;
  for (const std::string_view text : call.request.query_values(name)) {
    auto id = IdType::parse(text);
    if (!id) return std::unexpected(core::bad_parameter(name, id.error().message));
    ids.push_back(*id);
  }
  return ids;
}

template <class T>
Response page_json(const PlacePage<T>& page, wire::Json (*one)(const T&)) {
  wire::JsonArray items;
  for (const T& item : page.items) items.push_back(one(item));
  return core::page_response(std::move(items), page.next, {{"total_estimate", page.total}});
}

// A member that may be null: absent, null or an id.
template <class IdType>
Result<std::optional<std::optional<IdType>>> id_member(const wire::JsonObject& body,
                                                       std::string_view name) {
  const wire::Json* member = body.if_contains(name);
  if (member == nullptr) return std::nullopt;
  if (member->is_null()) return std::optional<IdType>{};
  auto id = IdType::parse(TRY(wire::get_string(body, name)));
  if (!id) {
    id.error().pointer = wire::pointer_to("", name);
    return std::unexpected(id.error());
  }
  return std::optional<IdType>(*id);
}

Result<Patch> patch_of(const wire::Json& json) {
  const auto& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"name", "site_id", "type_id", "tags"}));
  if (body.empty())
    return fail(Code::invalid_argument, "say what to change: name, site_id, type_id or tags");
  Patch patch;
  if (body.contains("name")) patch.name = TRY(wire::get_string(body, "name"));
  patch.site = TRY(id_member<SiteId>(body, "site_id"));
  patch.type = TRY(id_member<TypeId>(body, "type_id"));
  if (body.contains("tags")) {
    const auto& tags = *TRY(wire::get_object(body, "tags"));
    patch.tags.emplace();
    for (const auto& tag : tags)
      (*patch.tags)[tag.key()] = TRY(wire::get_string(tags, tag.key(), "/tags"));
  }
  return patch;
}

Result<std::string> reason_of(const wire::Json& json, bool wanted) {
  if (json.is_null() && !wanted) return std::string();
  const auto& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"reason"}));
  if (wanted) return wire::get_string(body, "reason");
  return TRY(wire::find_string(body, "reason")).value_or("");
}

Response device_response(const Registry& registry, const Device& device) {
  return core::object_response(200, registry.json(device), device.revision);
}

Result<Response> list(Registry& registry, const Call& call) {
  const ListQuery query = TRY(list_query(call));
  const ListPage page = TRY(registry.list(call.caller, query));
  wire::JsonArray items;
  for (const Device& device : page.devices) items.push_back(registry.json(device));
  return core::page_response(std::move(items), page.next, {{"total_estimate", page.total}});
}

Status add_device_routes(core::Operations& operations, Registry& registry) {
  TRY(operations.add("list_devices", [&](const Call& call) { return list(registry, call); }));
  TRY(operations.add("get_device_facets", [&](const Call& call) -> Result<Response> {
    const ListQuery query = TRY(list_query(call));
    return core::json_response(200, facets_json(TRY(registry.facets(call.caller, query))));
  }));
  TRY(operations.add("get_device", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<DeviceId>("device_id", "device.read"));
    return device_response(registry, TRY(registry.get(call.caller, "device.read", id)));
  }));
  TRY(operations.add("update_device", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<DeviceId>("device_id", "device.write"));
    // Its site decides whether the caller may: before anything is said about the request itself.
    TRY(registry.get(call.caller, "device.write", id));
    TRY(http::require_if_match(call.request));
    const Patch patch = TRY(patch_of(call.body));
    return device_response(
        registry, TRY(registry.patch(call.caller, id, patch, [&](std::int64_t revision) {
          return http::require_match(call.request, static_cast<std::uint64_t>(revision));
        })));
  }));
  TRY(operations.add("set_device_tag", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<DeviceId>("device_id", "device.write"));
    TRY(registry.get(call.caller, "device.write", id));
    const auto& body = *TRY(wire::as_object(call.body));
    TRY(wire::only_members(body, {"value"}));
    const std::string value = TRY(wire::get_string(body, "value"));
    return device_response(
        registry, TRY(registry.set_tag(call.caller, id, std::string(call.path("tag")), value)));
  }));
  return operations.add("delete_device_tag", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<DeviceId>("device_id", "device.write"));
    return device_response(
        registry,
        TRY(registry.set_tag(call.caller, id, std::string(call.path("tag")), std::nullopt)));
  });
}

using Act = Result<Device> (Registry::*)(const core::Caller&, DeviceId, const std::string&);

Status add_act(core::Operations& operations, Registry& registry, std::string_view operation,
               std::string_view permission, bool reason_wanted, Act act) {
  return operations.add(
      operation, [&registry, permission, reason_wanted, act](const Call& call) -> Result<Response> {
        const auto id = TRY(call.id<DeviceId>("device_id", permission));
        TRY(registry.get(call.caller, permission, id));
        const std::string reason = TRY(reason_of(call.body, reason_wanted));
        return device_response(registry, TRY((registry.*act)(call.caller, id, reason)));
      });
}

Status add_site_routes(core::Operations& operations, Places& places) {
  TRY(operations.add("list_sites", [&](const Call& call) -> Result<Response> {
    const auto page = TRY(core::page_of(call));
    return page_json(TRY(places.sites(call.caller, page, call.query("q").value_or(""))), site_json);
  }));
  TRY(operations.add("create_site", [&](const Call& call) -> Result<Response> {
    const Site site = TRY(places.save_site(call.caller, std::nullopt, call.body, call.request));
    return core::object_response(201, site_json(site), site.revision,
                                 "/v1/sites/" + site.id.text());
  }));
  TRY(operations.add("get_site", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<SiteId>("site_id", "site.read"));
    const Site site = TRY(places.site(call.caller, "site.read", id));
    return core::object_response(200, site_json(site), site.revision);
  }));
  TRY(operations.add("update_site", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<SiteId>("site_id", "site.write"));
    TRY(places.site(call.caller, "site.write", id));
    TRY(http::require_if_match(call.request));
    const Site site = TRY(places.save_site(call.caller, id, call.body, call.request));
    return core::object_response(200, site_json(site), site.revision);
  }));
  return operations.add("delete_site", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<SiteId>("site_id", "site.write"));
    TRY(places.site(call.caller, "site.write", id));
    TRY(http::require_if_match(call.request));
    TRY(places.delete_site(call.caller, id, call.request));
    return http::no_content();
  });
}

Status add_type_routes(core::Operations& operations, Places& places) {
  TRY(operations.add("list_types", [&](const Call& call) -> Result<Response> {
    const auto page = TRY(core::page_of(call));
    return page_json(TRY(places.types(call.caller, page, call.query("q").value_or(""))), type_json);
  }));
  TRY(operations.add("create_type", [&](const Call& call) -> Result<Response> {
    const DeviceType type =
        TRY(places.save_type(call.caller, std::nullopt, call.body, call.request));
    return core::object_response(201, type_json(type), type.revision,
                                 "/v1/types/" + type.id.text());
  }));
  TRY(operations.add("get_type", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<TypeId>("type_id", "type.read"));
    const DeviceType type = TRY(places.type(call.caller, "type.read", id));
    return core::object_response(200, type_json(type), type.revision);
  }));
  TRY(operations.add("update_type", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<TypeId>("type_id", "type.write"));
    TRY(places.type(call.caller, "type.write", id));
    TRY(http::require_if_match(call.request));
    const DeviceType type = TRY(places.save_type(call.caller, id, call.body, call.request));
    return core::object_response(200, type_json(type), type.revision);
  }));
  return operations.add("delete_type", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<TypeId>("type_id", "type.write"));
    TRY(places.type(call.caller, "type.write", id));
    TRY(http::require_if_match(call.request));
    TRY(places.delete_type(call.caller, id, call.request));
    return http::no_content();
  });
}

}  // namespace

Result<ListQuery> list_query(const Call& call) {
  ListQuery query;
  const core::Page page = TRY(core::page_of(call));
  query.limit = page.limit;
  query.cursor = page.cursor;
  query.q = call.query("q").value_or("");
  if (query.q.size() > 128)
    return std::unexpected(core::bad_parameter("q", "at most 128 characters"));
  for (const std::string_view text : call.request.query_values("state")) {
    const auto state = state_named(text);
    if (!state)
      return std::unexpected(
          core::bad_parameter("state", "there is no state \"" + std::string(text) + "\""));
    query.states.push_back(*state);
  }
  query.types = TRY(ids_of<TypeId>(call, "type_id"));
  query.sites = TRY(ids_of<SiteId>(call, "site_id"));
  for (const std::string_view text : call.request.query_values("tag")) {
    const auto equals = text.find('=');
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = text.substr(equals + 1);
    query.tags.emplace_back(std::string(text.substr(0, equals)), std::move(value));
  }
  if (const auto online = call.query("online")) {
    if (*online != "true" && *online != "false")
      return std::unexpected(core::bad_parameter("online", "true or false"));
    query.online = *online == "true";
  }
  query.sort = call.query("sort").value_or("name");
  if (!sort_known(query.sort))
    return std::unexpected(core::bad_parameter("sort", "there is no order \"" + query.sort + "\""));
  constexpr std::size_t kFiltersMax = 100;
  if (query.types.size() + query.sites.size() + query.tags.size() + query.states.size() >
      kFiltersMax) {
    return fail(Code::invalid_argument, "at most 100 filter values in one list");
  }
  return query;
}

Status add_routes(core::Operations& operations, Registry& registry, Places& places) {
  TRY(add_device_routes(operations, registry));
  TRY(add_act(operations, registry, "quarantine_device", "device.quarantine", true,
              &Registry::quarantine));
  TRY(add_act(operations, registry, "release_device", "device.quarantine", false,
              &Registry::release));
  TRY(add_act(operations, registry, "revoke_device", "device.revoke", true, &Registry::revoke));
  TRY(add_site_routes(operations, places));
  return add_type_routes(operations, places);
}

}  // namespace holdfast::devices
