#include "server/core/people_rows.hpp"

#include <algorithm>

#include "libs/crypto/hash.hpp"

namespace holdfast::core {

namespace {

constexpr std::string_view kUserColumns =
    "id, name, password, roles, sites, disabled, last_sign_in, created_at, updated_at, revision";
constexpr std::string_view kTokenColumns =
    "id, kind, name, roles, sites, person_id, expires_at, revoked_at, last_used_at, "
    "last_used_address, created_by,"
    " created_at, updated_at, revision";

template <class T>
T stored_value(sql::Row& row, Result<T> parsed) {
  if (parsed) return std::move(*parsed);
  row.damaged(parsed.error().message);
  return T{};
}

StoredUser read_user(sql::Row& row) {
  StoredUser stored;
  User& user = stored.user;
  user.id = row.id<UserId>(0);
  user.name = row.text(1);
  stored.password = row.text(2);
  user.roles = stored_value(row, parse_roles(row.text(3)));
  user.sites = stored_value(row, parse_sites(row.maybe_text(4)));
  user.disabled = row.boolean(5);
  user.last_sign_in = row.maybe_time(6);
  user.created_at = row.time(7);
  user.updated_at = row.time(8);
  user.revision = row.integer(9);
  return stored;
}

Token read_token(sql::Row& row) {
  Token token;
  token.id = row.text(0);
  const auto kind = token_kind_named(row.text(1));
  if (!kind) row.damaged("a token is of no known kind");
  token.kind = kind.value_or(TokenKind::api);
  token.name = row.text(2);
  token.roles = stored_value(row, parse_roles(row.text(3)));
  token.sites = stored_value(row, parse_sites(row.maybe_text(4)));
  token.user = row.maybe_id<UserId>(5);
  token.expires_at = row.maybe_time(6);
  token.revoked_at = row.maybe_time(7);
  token.last_used_at = row.maybe_time(8);
  token.last_used_address = row.maybe_text(9).value_or("");
  token.created_by = row.text(10);
  token.created_at = row.time(11);
  token.updated_at = row.time(12);
  token.revision = row.integer(13);
  return token;
}

sql::Param text_or_null(const std::string& text) {
  return text.empty() ? sql::Param(nullptr) : sql::Param(text);
}

// The rest of a list statement: what is sought, the page, the order.
struct ListTail {
  std::string sql = " WHERE TRUE";
  sql::Params params;
  void add(std::string_view condition, sql::Param value) {
    sql += " AND " + std::string(condition);
    params.push_back(std::move(value));
  }
  void finish(std::size_t limit) {
    sql += " ORDER BY id LIMIT ?";
    params.emplace_back(static_cast<std::uint64_t>(limit));
  }
};

std::string like_part(std::string_view q) {
  return "%" + sql::like_escape(lower(q)) + "%";
}

}  // namespace

Bytes secret_digest(std::string_view secret) {
  const crypto::Sha256 digest = crypto::sha256(view_of(secret));
  return {digest.begin(), digest.end()};
}

std::string lower(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Result<std::optional<StoredUser>> find_user_row(sql::Tx& tx, UserId id) {
  return tx.one("SELECT " + std::string(kUserColumns) + " FROM person WHERE id = ?", {id},
                read_user);
}

Result<std::optional<StoredUser>> find_user_named(sql::Tx& tx, std::string_view name) {
  return tx.one("SELECT " + std::string(kUserColumns) + " FROM person WHERE name_key = ?",
                {lower(name)}, read_user);
}

Result<std::vector<User>> list_user_rows(sql::Tx& tx, const PeopleQuery& query) {
  ListTail tail;
  if (!query.q.empty()) tail.add("name_key LIKE ? ESCAPE '\\'", like_part(query.q));
  if (!query.after.empty()) tail.add("id > ?", TRY(UserId::parse(query.after)));
  tail.finish(query.limit);
  return tx.list("SELECT " + std::string(kUserColumns) + " FROM person" + tail.sql, tail.params,
                 [](sql::Row& row) { return read_user(row).user; });
}

Status insert_user(sql::Tx& tx, const StoredUser& stored) {
  const User& user = stored.user;
  TRY(
      tx.exec("INSERT INTO person (id, name, name_key, password, roles, sites, disabled, "
              "last_sign_in, created_at,"
              " updated_at, revision) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
              {user.id, user.name, lower(user.name), stored.password, roles_text(user.roles),
               sites_text(user.sites), user.disabled, user.last_sign_in, user.created_at,
               user.updated_at, user.revision}));
  return {};
}

Status update_user(sql::Tx& tx, const StoredUser& stored) {
  const User& user = stored.user;
  TRY(tx.exec(
      "UPDATE person SET name=?, name_key=?, password=?, roles=?, sites=?, disabled=?, "
      "last_sign_in=?,"
      " updated_at=?, revision=? WHERE id=?",
      {user.name, lower(user.name), stored.password, roles_text(user.roles), sites_text(user.sites),
       user.disabled, user.last_sign_in, user.updated_at, user.revision, user.id}));
  return {};
}

Result<std::int64_t> count_other_administrators(sql::Tx& tx, UserId except) {
  std::int64_t count = 0;
  TRY(tx.query("SELECT roles FROM person WHERE disabled = FALSE AND sites IS NULL AND id <> ?",
               {except}, [&](sql::Row& row) {
                 const Roles roles = stored_value(row, parse_roles(row.text(0)));
                 count += roles.has(Role::administrator) ? 1 : 0;
               }));
  return count;
}

Result<std::optional<Token>> find_token_row(sql::Tx& tx, std::string_view id) {
  return tx.one("SELECT " + std::string(kTokenColumns) + " FROM api_token WHERE id = ?", {id},
                read_token);
}

Result<std::optional<Token>> find_token_by_digest(sql::Tx& tx, View digest) {
  return tx.one("SELECT " + std::string(kTokenColumns) + " FROM api_token WHERE digest = ?",
                {digest}, read_token);
}

Result<std::vector<Token>> list_token_rows(sql::Tx& tx, const PeopleQuery& query) {
  ListTail tail;
  if (!query.q.empty()) tail.add("lower(name) LIKE ? ESCAPE '\\'", like_part(query.q));
  if (query.kind) tail.add("kind = ?", name_of(*query.kind));
  if (!query.after.empty()) tail.add("id > ?", query.after);
  tail.finish(query.limit);
  return tx.list("SELECT " + std::string(kTokenColumns) + " FROM api_token" + tail.sql, tail.params,
                 read_token);
}

Status insert_token(sql::Tx& tx, const Token& token, View digest) {
  TRY(
      tx.exec("INSERT INTO api_token (id, kind, name, roles, sites, person_id, digest, expires_at, "
              "created_by,"
              " created_at, updated_at, revision) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
              {token.id, name_of(token.kind), token.name, roles_text(token.roles),
               sites_text(token.sites), token.user, digest, token.expires_at, token.created_by,
               token.created_at, token.updated_at, token.revision}));
  return {};
}

Status update_token(sql::Tx& tx, const Token& token) {
  TRY(tx.exec(
      "UPDATE api_token SET name=?, roles=?, sites=?, expires_at=?, revoked_at=?, last_used_at=?,"
      " last_used_address=?, updated_at=?, revision=? WHERE id=?",
      {token.name, roles_text(token.roles), sites_text(token.sites), token.expires_at,
       token.revoked_at, token.last_used_at, text_or_null(token.last_used_address),
       token.updated_at, token.revision, token.id}));
  return {};
}

std::string_view name_of(TokenKind kind) {
  return kind == TokenKind::api ? "api" : "service";
}

std::optional<TokenKind> token_kind_named(std::string_view name) {
  if (name == "api") return TokenKind::api;
  if (name == "service") return TokenKind::service;
  return std::nullopt;
}

wire::Json roles_json(Roles roles) {
  wire::JsonArray out;
  for (const Role role : roles.list()) out.emplace_back(name_of(role));
  return out;
}

wire::Json sites_json(const Sites& sites) {
  if (!sites) return nullptr;
  wire::JsonArray out;
  for (const SiteId& site : *sites) out.emplace_back(site.text());
  return out;
}

wire::Json time_json(const std::optional<WallTime>& time) {
  if (!time) return nullptr;
  return wire::Json(to_rfc3339(*time));
}

wire::Json user_json(const User& user) {
  return wire::JsonObject{{"id", user.id.text()},
                          {"name", user.name},
                          {"roles", roles_json(user.roles)},
                          {"sites", sites_json(user.sites)},
                          {"disabled", user.disabled},
                          {"last_sign_in", time_json(user.last_sign_in)},
                          {"created_at", to_rfc3339(user.created_at)},
                          {"updated_at", to_rfc3339(user.updated_at)},
                          {"revision", user.revision}};
}

wire::Json token_json(const Token& token) {
  const auto text_or = [](const std::string& text) {
    return text.empty() ? wire::Json(nullptr) : wire::Json(text);
  };
  return wire::JsonObject{
      {"id", token.id},
      {"kind", name_of(token.kind)},
      {"name", token.name},
      {"roles", roles_json(token.roles)},
      {"sites", sites_json(token.sites)},
      {"user_id", token.user ? wire::Json(token.user->text()) : wire::Json(nullptr)},
      {"expires_at", time_json(token.expires_at)},
      {"revoked_at", time_json(token.revoked_at)},
      {"last_used_at", time_json(token.last_used_at)},
      {"last_used_address", text_or(token.last_used_address)},
      {"created_by", token.created_by},
      {"created_at", to_rfc3339(token.created_at)},
      {"updated_at", to_rfc3339(token.updated_at)},
      {"revision", token.revision}};
}

}  // namespace holdfast::core
