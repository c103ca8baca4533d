// Users: create, list, change, remove.
#include <algorithm>

#include "server/core/people_service.hpp"

namespace holdfast::core {

namespace {

constexpr std::size_t kUserNameBytesMax = 64;
constexpr std::size_t kSitesMax = 1'000;

Status check_roles_and_sites(Roles roles, const Sites& sites) {
  if (roles.empty()) return std::unexpected(value_error("/roles", "give at least one role"));
  if (sites && sites->size() > kSitesMax)
    return std::unexpected(value_error("/sites", "at most 1000 sites"));
  return {};
}

bool sites_shrink(const Sites& before, const Sites& after) {
  if (!after) return false;
  if (!before) return true;
  return std::ranges::any_of(
      *before, [&](const SiteId& site) { return std::ranges::find(*after, site) == after->end(); });
}

Status refuse_last_administrator(sql::Tx& tx, const User& before, const User* after) {
  const auto reigns = [](const User& user) {
    return !user.disabled && !user.sites && user.roles.has(Role::administrator);
  };
  if (!reigns(before) || (after != nullptr && reigns(*after))) return {};
  const std::int64_t others = TRY(count_other_administrators(tx, before.id));
  if (others > 0) return {};
  return fail(
      Code::conflict,
      "\"" + before.name + "\" is the last administrator without site limits: make another first");
}

wire::Json member_names(const UserPatch& patch) {
  wire::JsonArray out;
  if (patch.name) out.emplace_back("name");
  if (patch.password) out.emplace_back("password");
  if (patch.roles) out.emplace_back("roles");
  if (patch.sites) out.emplace_back("sites");
  if (patch.disabled) out.emplace_back("disabled");
  return out;
}

}  // namespace

Status check_user_name(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= kUserNameBytesMax && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._@+-").contains(c);
      });
  if (good) return {};
  return std::unexpected(value_error("/name", "1 to 64 letters, digits and . _ @ + -"));
}

Status PeopleService::check_password(std::string_view password) const {
  if (password.size() >= kPasswordBytesMin && password.size() <= kPasswordBytesMax) return {};
  return std::unexpected(value_error("/password", "a password has 12 to 256 characters"));
}

Result<User> PeopleService::create_user(const Caller& caller, const NewUser& user) {
  TRY(require(caller, "user.write"));
  TRY(check_user_name(user.name));
  TRY(check_password(user.password));
  TRY(check_roles_and_sites(user.roles, user.sites));
  StoredUser stored;
  stored.password = TRY(passwords_.hash(user.password));
  stored.user.name = user.name;
  stored.user.roles = user.roles;
  stored.user.sites = user.sites;
  stored.user.disabled = user.disabled;
  TRY(store_.change(caller, "create_user", [&](Change& change) -> Status {
    if (TRY(change.tx().number("SELECT count(*) FROM person")) >=
        static_cast<std::int64_t>(kUsersMax)) {
      return fail(Code::quota_exceeded,
                  "there are " + std::to_string(kUsersMax) + " users already");
    }
    stored.user.id = change.new_id<UserId>();
    stored.user.created_at = stored.user.updated_at = change.now();
    const Status inserted = insert_user(change.tx(), stored);
    if (!inserted && inserted.error().code == Code::already_exists) {
      return std::unexpected(
          Error{Code::already_exists, "there is a user of this name already", {}, {}, "/name"});
    }
    TRY(Status(inserted));
    const std::string id = stored.user.id.text();
    TRY(change.audit(id, "", wire::json_text(user_json(stored.user))));
    return change.notice("user.created", wire::json_text(wire::JsonObject{{"user_id", id}}));
  }));
  return stored.user;
}

Result<User> PeopleService::find_user(const Caller& caller, UserId id) {
  TRY(require(caller, "user.read"));
  std::optional<StoredUser> stored;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    stored = TRY(find_user_row(tx, id));
    return {};
  }));
  if (!stored) return fail(Code::not_found, "there is no user " + id.text());
  return stored->user;
}

Result<std::vector<User>> PeopleService::list_users(const Caller& caller,
                                                    const PeopleQuery& query) {
  TRY(require(caller, "user.read"));
  std::vector<User> users;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    users = TRY(list_user_rows(tx, query));
    return {};
  }));
  return users;
}

Status PeopleService::close_sessions(Change& change, UserId user, std::string_view reason) {
  const auto ids =
      TRY(change.tx().list("DELETE FROM person_session WHERE person_id = ? RETURNING id", {user},
                           [](sql::Row& row) { return row.text(0); }));
  for (const std::string& id : ids) {
    TRY(change.notice("session.closed",
                      wire::json_text(wire::JsonObject{
                          {"session_id", id}, {"user_id", user.text()}, {"reason", reason}})));
  }
  return {};
}

Status PeopleService::apply_patch(Change& change, StoredUser& stored, const UserPatch& patch,
                                  const std::string& password_hash) {
  const User before = stored.user;
  User& after = stored.user;
  if (patch.name) after.name = *patch.name;
  if (patch.password) stored.password = password_hash;
  if (patch.roles) after.roles = *patch.roles;
  if (patch.sites) after.sites = *patch.sites;
  if (patch.disabled) after.disabled = *patch.disabled;
  TRY(check_roles_and_sites(after.roles, after.sites));
  TRY(refuse_last_administrator(change.tx(), before, &after));
  after.updated_at = change.now();
  after.revision = before.revision + 1;
  const Status updated = update_user(change.tx(), stored);
  if (!updated && updated.error().code == Code::already_exists) {
    return std::unexpected(
        Error{Code::already_exists, "there is a user of this name already", {}, {}, "/name"});
  }
  TRY(Status(updated));
  const std::string id = after.id.text();
  const bool less = !before.roles.within(after.roles) || sites_shrink(before.sites, after.sites);
  const bool ends = patch.password || less || (after.disabled && !before.disabled);
  wire::Json after_json = user_json(after);
  if (patch.password) after_json.as_object()["password"] = "changed";
  TRY(change.audit(id, wire::json_text(user_json(before)), wire::json_text(after_json)));
  TRY(change.notice("user.changed",
                    wire::json_text(wire::JsonObject{{"user_id", id},
                                                     {"revision", after.revision},
                                                     {"members", member_names(patch)},
                                                     {"access_changed", ends}})));
  return ends ? close_sessions(change, after.id, "access_changed") : Status{};
}

Result<User> PeopleService::change_user(const Caller& caller, UserId id,
                                        std::optional<std::int64_t> revision,
                                        const UserPatch& patch) {
  TRY(require(caller, "user.write"));
  if (patch.name) TRY(check_user_name(*patch.name));
  std::string password_hash;
  if (patch.password) {
    TRY(check_password(*patch.password));
    password_hash = TRY(passwords_.hash(*patch.password));
  }
  User changed;
  TRY(store_.change(caller, "update_user", [&](Change& change) -> Status {
    auto stored = TRY(find_user_row(change.tx(), id));
    if (!stored) return fail(Code::not_found, "there is no user " + id.text());
    TRY(check_revision(revision, stored->user.revision));
    TRY(apply_patch(change, *stored, patch, password_hash));
    changed = stored->user;
    return {};
  }));
  return changed;
}

Status PeopleService::remove_user(const Caller& caller, UserId id,
                                  std::optional<std::int64_t> revision) {
  TRY(require(caller, "user.write"));
  return store_.change(caller, "delete_user", [&](Change& change) -> Status {
    const auto stored = TRY(find_user_row(change.tx(), id));
    if (!stored) return fail(Code::not_found, "there is no user " + id.text());
    TRY(check_revision(revision, stored->user.revision));
    TRY(refuse_last_administrator(change.tx(), stored->user, nullptr));
    TRY(close_sessions(change, id, "user_deleted"));
    const auto tokens =
        TRY(change.tx().list("SELECT id FROM api_token WHERE person_id = ? AND revoked_at IS NULL",
                             {id}, [](sql::Row& row) { return row.text(0); }));
    for (const std::string& token_id : tokens) {
      auto token = TRY(find_token_row(change.tx(), token_id));
      if (token) TRY(revoke_row(change, std::move(*token), "user_deleted"));
    }
    TRY(change.tx().exec("DELETE FROM person WHERE id = ?", {id}));
    TRY(change.audit(id.text(), wire::json_text(user_json(stored->user)), ""));
    return change.notice("user.deleted", wire::json_text(wire::JsonObject{{"user_id", id.text()}}));
  });
}

}  // namespace holdfast::core
