// Rows of people and tokens, and their JSON as the API and the audit show it (never a secret).
// Threads: where the Tx runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/wire/json.hpp"
#include "server/core/people.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::core {

struct StoredUser {
  User user;
  std::string password;  // Argon2id, encoded
};

Bytes secret_digest(std::string_view secret);  // SHA-256
std::string lower(std::string_view name);      // ASCII, as user names are

Result<std::optional<StoredUser>> find_user_row(sql::Tx& tx, UserId id);
Result<std::optional<StoredUser>> find_user_named(sql::Tx& tx, std::string_view name);
Result<std::vector<User>> list_user_rows(sql::Tx& tx, const PeopleQuery& query);
Status insert_user(sql::Tx& tx, const StoredUser& user);
Status update_user(sql::Tx& tx, const StoredUser& user);
// Administrators that are enabled and have no site limits, but for `except`.
Result<std::int64_t> count_other_administrators(sql::Tx& tx, UserId except);

Result<std::optional<Token>> find_token_row(sql::Tx& tx, std::string_view id);
Result<std::optional<Token>> find_token_by_digest(sql::Tx& tx, View digest);
Result<std::vector<Token>> list_token_rows(sql::Tx& tx, const PeopleQuery& query);
Status insert_token(sql::Tx& tx, const Token& token, View digest);
Status update_token(sql::Tx& tx, const Token& token);

wire::Json roles_json(Roles roles);
wire::Json sites_json(const Sites& sites);
wire::Json time_json(const std::optional<WallTime>& time);
wire::Json user_json(const User& user);
wire::Json token_json(const Token& token);
std::string_view name_of(TokenKind kind);
std::optional<TokenKind> token_kind_named(std::string_view name);

}  // namespace holdfast::core
