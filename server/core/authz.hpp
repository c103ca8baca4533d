// Who may do what: one decision for people, tokens, services and devices (decision 17). The table
// role -> permission -> scope is generated from `x-permissions` in contract/openapi.yaml.
//
// Order of answers: unauthenticated, then forbidden (Error.permission names what is missing), then
// everything else. To a caller limited to sites an object elsewhere and one that does not exist
// answer alike: use require_at() with what you found, or refuse_missing() with what you did not.
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::core {

enum class Role : std::uint8_t { viewer, technician, operator_, auditor, administrator };
inline constexpr std::size_t kRoles = 5;
std::string_view name_of(Role role);
std::optional<Role> role_named(std::string_view name);

// A set of roles; a value.
class Roles {
 public:
  Roles() = default;
  Roles(std::initializer_list<Role> roles) {
    for (const Role role : roles) add(role);
  }
  void add(Role role) { bits_ = static_cast<std::uint8_t>(bits_ | bit(role)); }
  bool has(Role role) const { return (bits_ & bit(role)) != 0; }
  bool empty() const { return bits_ == 0; }
  Roles operator&(Roles other) const {
    Roles both;
    both.bits_ = static_cast<std::uint8_t>(bits_ & other.bits_);
    return both;
  }
  bool within(Roles other) const { return (bits_ & ~other.bits_) == 0; }
  std::vector<Role> list() const;  // in the order of the enum
  bool operator==(const Roles&) const = default;

 private:
  static std::uint8_t bit(Role role) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};
// "viewer,operator"; an unknown name is Code::invalid_argument.
std::string roles_text(Roles roles);
Result<Roles> parse_roles(std::string_view text);

// nullopt: all sites; empty: none.
using Sites = std::optional<std::vector<SiteId>>;
Sites intersect(const Sites& one, const Sites& other);
// "site_...,site_..." as a column holds it; nullopt is NULL.
std::optional<std::string> sites_text(const Sites& sites);
Result<Sites> parse_sites(const std::optional<std::string>& text);

struct IdempotentCall;

struct Caller {
  enum class Kind : std::uint8_t { nobody, user, api, service, bootstrap, device, system };
  Kind kind = Kind::nobody;
  std::string id;  // "usr_...", "tok_...", "svc_...", "dev_...", "bootstrap", "system"
  std::string name;
  std::string user_id;  // the user behind an API token or session
  Roles roles;
  std::optional<Roles> owner_roles;  // of an API token's user: what is granted, both must grant
  Sites sites;
  std::string request_id;  // "req_..."; empty for what no request caused
  std::string address;     // of the peer, without port
  // Of a request with an Idempotency-Key: its change marks the call as done (idempotency.hpp).
  std::shared_ptr<const IdempotentCall> once;

  static Caller system(std::string_view request_id = {});
  static Caller device(DeviceId device, std::string_view request_id = {});
};
std::string_view name_of(Caller::Kind kind);

// Does the caller hold the permission at all (inside its sites, if it has site scope)? For lists
// and before anything is looked up. An unknown permission is Code::internal.
Status require(const Caller& caller, std::string_view permission);
// And for this object, which lies at `site` or at none.
Status require_at(const Caller& caller, std::string_view permission,
                  const std::optional<SiteId>& site);
// What to answer for an id that does not exist: forbidden to callers limited to sites, else
// not_found with `message`.
Error refuse_missing(const Caller& caller, std::string_view permission, std::string message);
// All that the caller holds, sorted: for "who am I".
std::vector<std::string> permissions_of(const Caller& caller);
// Does `outer` grant every permission that `inner` grants?
bool grants_within(Roles inner, Roles outer);
// Every permission of the contract, in its order.
std::vector<std::string_view> all_permissions();

// The same decision as a condition for lists: "TRUE", "FALSE" or `column IN (?,...)`.
struct SiteFilter {
  std::string sql;
  sql::Params params;
};
Result<SiteFilter> site_filter(const Caller& caller, std::string_view permission,
                               std::string_view column);

}  // namespace holdfast::core
