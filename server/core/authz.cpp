#include "server/core/authz.hpp"

#include <algorithm>
#include <array>

#include "generated/api/operations.hpp"

namespace holdfast::core {

namespace {

constexpr std::array<std::string_view, kRoles> kRoleNames{"viewer", "technician", "operator",
                                                          "auditor", "administrator"};

const api::PermissionRow* permission_row(std::string_view permission) {
  const auto* row = std::ranges::find(api::kPermissionTable, permission, &api::PermissionRow::name);
  return row == api::kPermissionTable.end() ? nullptr : row;
}

std::vector<std::string_view> split_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

bool role_grants(const api::PermissionRow& row, Roles roles) {
  return std::ranges::any_of(split_commas(row.roles), [&](std::string_view name) {
    const auto role = role_named(name);
    return role && roles.has(*role);
  });
}

Error missing(std::string_view permission, std::string message) {
  return Error{Code::forbidden, std::move(message), {}, std::string(permission), {}};
}

Error refused(const Caller& caller, std::string_view permission) {
  return missing(permission,
                 "\"" + caller.name + "\" does not hold the permission " + std::string(permission));
}

// What the roles say, before any site: the row that grants it.
Result<const api::PermissionRow*> granting_row(const Caller& caller, std::string_view permission) {
  const api::PermissionRow* row = permission_row(permission);
  if (row == nullptr) {
    return fail(Code::internal,
                "the permission \"" + std::string(permission) + "\" is not in the contract");
  }
  if (caller.kind == Caller::Kind::nobody)
    return fail(Code::unauthenticated, "sign in, or send a token");
  if (caller.kind == Caller::Kind::system) return row;
  const bool granted = role_grants(*row, caller.roles) &&
                       (!caller.owner_roles || role_grants(*row, *caller.owner_roles));
  if (!granted) return std::unexpected(refused(caller, permission));
  return row;
}

}  // namespace

std::string_view name_of(Role role) {
  return kRoleNames[static_cast<std::size_t>(role)];
}

std::optional<Role> role_named(std::string_view name) {
  const auto* at = std::ranges::find(kRoleNames, name);
  if (at == kRoleNames.end()) return std::nullopt;
  return static_cast<Role>(at - kRoleNames.begin());
}

std::vector<Role> Roles::list() const {
  std::vector<Role> out;
  for (std::size_t i = 0; i < kRoles; ++i) {
    const auto role = static_cast<Role>(i);
    if (has(role)) out.push_back(role);
  }
  return out;
}

std::string roles_text(Roles roles) {
  std::string out;
  for (const Role role : roles.list()) {
    if (!out.empty()) out += ',';
    out += name_of(role);
  }
  return out;
}

Result<Roles> parse_roles(std::string_view text) {
  Roles roles;
  for (const std::string_view name : split_commas(text)) {
    const auto role = role_named(name);
    if (!role)
      return fail(Code::invalid_argument,
                  "there is no role \"" + std::string(name.substr(0, 40)) + "\"");
    roles.add(*role);
  }
  return roles;
}

Sites intersect(const Sites& one, const Sites& other) {
  if (!one) return other;
  if (!other) return one;
  std::vector<SiteId> both;
  for (const SiteId& site : *one) {
    if (std::ranges::find(*other, site) != other->end()) both.push_back(site);
  }
  return both;
}

std::optional<std::string> sites_text(const Sites& sites) {
  if (!sites) return std::nullopt;
  std::string out;
  for (const SiteId& site : *sites) {
    if (!out.empty()) out += ',';
    out += site.text();
  }
  return out;
}

Result<Sites> parse_sites(const std::optional<std::string>& text) {
  if (!text) return Sites{};
  std::vector<SiteId> sites;
  for (const std::string_view part : split_commas(*text)) sites.push_back(TRY(SiteId::parse(part)));
  return Sites(std::move(sites));
}

Caller Caller::system(std::string_view request_id) {
  Caller caller;
  caller.kind = Kind::system;
  caller.id = "system";
  caller.name = "system";
  caller.request_id = request_id;
  return caller;
}

Caller Caller::device(DeviceId device, std::string_view request_id) {
  Caller caller;
  caller.kind = Kind::device;
  caller.id = device.text();
  caller.name = caller.id;
  caller.sites = std::vector<SiteId>{};
  caller.request_id = request_id;
  return caller;
}

std::string_view name_of(Caller::Kind kind) {
  switch (kind) {
    case Caller::Kind::nobody:
      return "nobody";
    case Caller::Kind::user:
      return "user";
    case Caller::Kind::api:
      return "api";
    case Caller::Kind::service:
      return "service";
    case Caller::Kind::bootstrap:
      return "bootstrap";
    case Caller::Kind::device:
      return "device";
    case Caller::Kind::system:
      return "system";
  }
  return "nobody";
}

Status require(const Caller& caller, std::string_view permission) {
  const api::PermissionRow* row = TRY(granting_row(caller, permission));
  if (row->scope == api::PermissionScope::server && caller.sites) {
    return std::unexpected(missing(permission, "\"" + caller.name + "\" is limited to sites; " +
                                                   std::string(permission) +
                                                   " is for the whole server"));
  }
  if (row->scope == api::PermissionScope::site && caller.sites && caller.sites->empty()) {
    return std::unexpected(refused(caller, permission));
  }
  return {};
}

Status require_at(const Caller& caller, std::string_view permission,
                  const std::optional<SiteId>& site) {
  TRY(require(caller, permission));
  const api::PermissionRow* row = permission_row(permission);
  if (row->scope != api::PermissionScope::site || !caller.sites) return {};
  if (site && std::ranges::find(*caller.sites, *site) != caller.sites->end()) return {};
  // The same words as for what does not exist.
  return std::unexpected(refuse_missing(caller, permission, {}));
}

Error refuse_missing(const Caller& caller, std::string_view permission, std::string message) {
  const api::PermissionRow* row = permission_row(permission);
  if (caller.sites && row != nullptr && row->scope == api::PermissionScope::site) {
    return missing(permission, "not there, or outside of the sites of \"" + caller.name + "\"");
  }
  return Error{Code::not_found, std::move(message), {}, {}, {}};
}

std::vector<std::string> permissions_of(const Caller& caller) {
  std::vector<std::string> out;
  for (const api::PermissionRow& row : api::kPermissionTable) {
    if (require(caller, row.name)) out.emplace_back(row.name);
  }
  std::ranges::sort(out);
  return out;
}

bool grants_within(Roles inner, Roles outer) {
  return std::ranges::all_of(api::kPermissionTable, [&](const api::PermissionRow& row) {
    return !role_grants(row, inner) || role_grants(row, outer);
  });
}

std::vector<std::string_view> all_permissions() {
  std::vector<std::string_view> out;
  for (const api::PermissionRow& row : api::kPermissionTable) out.push_back(row.name);
  return out;
}

Result<SiteFilter> site_filter(const Caller& caller, std::string_view permission,
                               std::string_view column) {
  const api::PermissionRow* row = TRY(granting_row(caller, permission));
  if (row->scope != api::PermissionScope::site || !caller.sites) {
    TRY(require(caller, permission));
    return SiteFilter{"TRUE", {}};
  }
  if (caller.sites->empty()) return SiteFilter{"FALSE", {}};
  SiteFilter filter{std::string(column) + " IN (" + sql::placeholders(caller.sites->size()) + ")",
                    {}};
  for (const SiteId& site : *caller.sites) filter.params.emplace_back(site);
  return filter;
}

}  // namespace holdfast::core
