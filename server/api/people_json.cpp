#include "server/api/people_json.hpp"

#include "server/core/answers.hpp"

namespace holdfast::api {
namespace {

using core::text_or_null;
using core::time_or_null;
using wire::Json;
using wire::JsonArray;
using wire::JsonObject;

constexpr std::size_t kSitesMax = 1000;
constexpr std::size_t kRolesMax = 16;

Error wrong(std::string pointer, std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, std::move(pointer)};
}

Json roles_json(core::Roles roles) {
  JsonArray out;
  for (const core::Role role : roles.list()) out.push_back(Json(core::name_of(role)));
  return out;
}

Json sites_json(const core::Sites& sites) {
  if (!sites) return nullptr;
  JsonArray out;
  for (const SiteId& site : *sites) out.push_back(Json(site.text()));
  return out;
}

Result<core::Roles> roles_of(const JsonObject& body) {
  const JsonArray& list = *TRY(wire::get_array(body, "roles"));
  if (list.size() > kRolesMax) return std::unexpected(wrong("/roles", "too many roles"));
  core::Roles roles;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto* name = list[i].if_string();
    const auto role = name ? core::role_named(*name) : std::nullopt;
    const std::string pointer = wire::pointer_to("/roles", i);
    if (!role)
      return std::unexpected(wrong(
          pointer, "no such role; there are viewer, technician, operator, auditor, administrator"));
    if (roles.has(*role)) return std::unexpected(wrong(pointer, "a role is named twice"));
    roles.add(*role);
  }
  return roles;
}

// Absent and null are all sites.
Result<core::Sites> sites_of(const JsonObject& body) {
  const JsonArray* list = TRY(wire::find_array(body, "sites"));
  if (!list) return core::Sites{};
  if (list->size() > kSitesMax) return std::unexpected(wrong("/sites", "at most 1,000 sites"));
  std::vector<SiteId> sites;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto* text = (*list)[i].if_string();
    const auto site =
        text ? SiteId::parse(*text) : Result<SiteId>(fail(Code::invalid_argument, ""));
    const std::string pointer = wire::pointer_to("/sites", i);
    if (!site) return std::unexpected(wrong(pointer, "not the id of a site"));
    if (std::ranges::find(sites, *site) != sites.end()) {
      return std::unexpected(wrong(pointer, "a site is named twice"));
    }
    sites.push_back(*site);
  }
  return core::Sites(std::move(sites));
}

// Absent: nullopt; null: present without a time.
Result<std::optional<std::optional<WallTime>>> expiry_of(const JsonObject& body) {
  if (!body.contains("expires_at")) return std::nullopt;
  const auto text = TRY(wire::find_string(body, "expires_at"));
  if (!text) return std::optional<WallTime>{};
  const auto time = from_rfc3339(*text);
  if (!time) return std::unexpected(wrong("/expires_at", time.error().message));
  return std::optional<WallTime>(*time);
}

Status not_empty(const JsonObject& body) {
  if (!body.empty()) return {};
  return fail(Code::invalid_argument, "Say what to change: the body has no members.");
}

}  // namespace

Json user_json(const core::User& user) {
  return JsonObject{{"id", user.id.text()},
                    {"name", user.name},
                    {"roles", roles_json(user.roles)},
                    {"sites", sites_json(user.sites)},
                    {"disabled", user.disabled},
                    {"last_sign_in", time_or_null(user.last_sign_in)},
                    {"created_at", to_rfc3339(user.created_at)},
                    {"updated_at", to_rfc3339(user.updated_at)},
                    {"revision", user.revision}};
}

Json token_json(const core::Token& token) {
  return JsonObject{{"id", token.id},
                    {"kind", token.kind == core::TokenKind::api ? "api" : "service"},
                    {"name", token.name},
                    {"roles", roles_json(token.roles)},
                    {"sites", sites_json(token.sites)},
                    {"user_id", text_or_null(token.user ? token.user->text() : "")},
                    {"expires_at", time_or_null(token.expires_at)},
                    {"revoked_at", time_or_null(token.revoked_at)},
                    {"last_used_at", time_or_null(token.last_used_at)},
                    {"last_used_address", text_or_null(token.last_used_address)},
                    {"created_by", token.created_by},
                    {"created_at", to_rfc3339(token.created_at)},
                    {"updated_at", to_rfc3339(token.updated_at)},
                    {"revision", token.revision}};
}

Json session_json(const core::Caller& caller, std::optional<WallTime> expires_at) {
  JsonArray permissions;
  for (const std::string& permission : core::permissions_of(caller))
    permissions.push_back(Json(permission));
  return JsonObject{{"actor", JsonObject{{"id", caller.id},
                                         {"kind", core::name_of(caller.kind)},
                                         {"name", caller.name},
                                         {"user_id", text_or_null(caller.user_id)}}},
                    {"roles", roles_json(caller.roles)},
                    {"sites", sites_json(caller.sites)},
                    {"permissions", std::move(permissions)},
                    {"expires_at", time_or_null(expires_at)}};
}

Result<core::NewUser> new_user_of(const Json& json) {
  const JsonObject& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"name", "password", "roles", "sites", "disabled"}));
  core::NewUser user;
  user.name = TRY(wire::get_string(body, "name"));
  user.password = TRY(wire::get_string(body, "password"));
  user.roles = TRY(roles_of(body));
  user.sites = TRY(sites_of(body));
  user.disabled = TRY(wire::find_bool(body, "disabled")).value_or(false);
  return user;
}

Result<core::UserPatch> user_patch_of(const Json& json) {
  const JsonObject& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"name", "password", "roles", "sites", "disabled"}));
  TRY(not_empty(body));
  core::UserPatch patch;
  if (body.contains("name")) patch.name = TRY(wire::get_string(body, "name"));
  if (body.contains("password")) patch.password = TRY(wire::get_string(body, "password"));
  if (body.contains("roles")) patch.roles = TRY(roles_of(body));
  if (body.contains("sites")) patch.sites = TRY(sites_of(body));
  if (body.contains("disabled")) patch.disabled = TRY(wire::get_bool(body, "disabled"));
  return patch;
}

Result<core::NewToken> new_token_of(const Json& json) {
  const JsonObject& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"kind", "name", "roles", "sites", "expires_at"}));
  core::NewToken token;
  const std::string kind = TRY(wire::find_string(body, "kind")).value_or("api");
  if (kind != "api" && kind != "service") return std::unexpected(wrong("/kind", "api or service"));
  token.kind = kind == "api" ? core::TokenKind::api : core::TokenKind::service;
  token.name = TRY(wire::get_string(body, "name"));
  token.roles = TRY(roles_of(body));
  token.sites = TRY(sites_of(body));
  token.expires_at = TRY(expiry_of(body));
  return token;
}

Result<core::TokenPatch> token_patch_of(const Json& json) {
  const JsonObject& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"name", "roles", "sites", "expires_at"}));
  TRY(not_empty(body));
  core::TokenPatch patch;
  if (body.contains("name")) patch.name = TRY(wire::get_string(body, "name"));
  if (body.contains("roles")) patch.roles = TRY(roles_of(body));
  if (body.contains("sites")) patch.sites = TRY(sites_of(body));
  patch.expires_at = TRY(expiry_of(body));
  return patch;
}

}  // namespace holdfast::api
