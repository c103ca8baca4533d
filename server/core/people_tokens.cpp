// API tokens and service credentials.
#include <algorithm>

#include "server/core/people_service.hpp"

namespace holdfast::core {

namespace {

constexpr std::size_t kNameBytesMax = 512;  // 128 characters
constexpr std::string_view kSecretPrefix = "hft_";

Status check_token_name(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
      });
  if (good) return {};
  return std::unexpected(value_error("/name", "1 to 128 characters, no control characters"));
}

Status check_expiry(TokenKind kind, std::optional<WallTime> expires_at, WallTime now) {
  if (!expires_at && kind == TokenKind::api) {
    return std::unexpected(value_error("/expires_at", "an API token ends: give a time"));
  }
  if (expires_at && *expires_at <= now)
    return std::unexpected(value_error("/expires_at", "this time is past"));
  return {};
}

bool sites_within(const Sites& inner, const Sites& outer) {
  if (!outer) return true;
  return inner && std::ranges::all_of(*inner, [&](const SiteId& site) {
           return std::ranges::find(*outer, site) != outer->end();
         });
}

// An API token never gets more than the caller holds; a service credential is the administrator's
// to give (token.write is for callers without site limits).
Status check_grant(const Caller& caller, TokenKind kind, Roles roles, const Sites& sites) {
  if (roles.empty()) return std::unexpected(value_error("/roles", "give at least one role"));
  if (kind == TokenKind::service) return {};
  if (!grants_within(roles, caller.owner_roles.value_or(caller.roles)))
    return std::unexpected(value_error("/roles", "more than you hold yourself"));
  if (!sites_within(sites, caller.sites))
    return std::unexpected(value_error("/sites", "more than you hold yourself"));
  return {};
}

wire::Json token_members(const TokenPatch& patch) {
  wire::JsonArray out;
  if (patch.name) out.emplace_back("name");
  if (patch.roles) out.emplace_back("roles");
  if (patch.sites) out.emplace_back("sites");
  if (patch.expires_at) out.emplace_back("expires_at");
  return out;
}

}  // namespace

Result<TokenWithSecret> PeopleService::create_token(const Caller& caller, const NewToken& wanted) {
  TRY(require(caller, "token.write"));
  TRY(check_token_name(wanted.name));
  TRY(check_grant(caller, wanted.kind, wanted.roles, wanted.sites));
  if (wanted.kind == TokenKind::api && caller.user_id.empty()) {
    return std::unexpected(
        value_error("/kind", "\"" + caller.name + "\" is no user: make a service credential"));
  }
  TokenWithSecret made;
  made.secret = std::string(kSecretPrefix) + new_secret();
  Token& token = made.token;
  token.kind = wanted.kind;
  token.name = wanted.name;
  token.roles = wanted.roles;
  token.sites = wanted.sites;
  if (wanted.kind == TokenKind::api) token.user = TRY(UserId::parse(caller.user_id));
  token.created_by = caller.id;
  TRY(store_.change(caller, "create_token", [&](Change& change) -> Status {
    if (TRY(change.tx().number("SELECT count(*) FROM api_token")) >=
        static_cast<std::int64_t>(kTokensMax)) {
      return fail(Code::quota_exceeded,
                  "there are " + std::to_string(kTokensMax) + " tokens already");
    }
    token.expires_at =
        wanted.expires_at ? *wanted.expires_at : std::optional(change.now() + kTokenLifeDefault);
    TRY(check_expiry(token.kind, token.expires_at, change.now()));
    token.id = token.kind == TokenKind::api ? change.new_id<TokenId>().text()
                                            : change.new_id<ServiceId>().text();
    token.created_at = token.updated_at = change.now();
    TRY(insert_token(change.tx(), token, secret_digest(made.secret)));
    TRY(change.audit(token.id, "", wire::json_text(token_json(token))));
    change.keep_for_answer(wire::json_text(wire::JsonObject{{"secret", made.secret}}));
    return change.notice(
        "token.created",
        wire::json_text(wire::JsonObject{{"token_id", token.id}, {"kind", name_of(token.kind)}}));
  }));
  return made;
}

Result<Token> PeopleService::find_token(const Caller& caller, std::string_view id) {
  TRY(require(caller, "token.read"));
  std::optional<Token> token;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    token = TRY(find_token_row(tx, id));
    return {};
  }));
  if (!token) return fail(Code::not_found, "there is no token " + std::string(id));
  return std::move(*token);
}

Result<std::vector<Token>> PeopleService::list_tokens(const Caller& caller,
                                                      const PeopleQuery& query) {
  TRY(require(caller, "token.read"));
  std::vector<Token> tokens;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    tokens = TRY(list_token_rows(tx, query));
    return {};
  }));
  return tokens;
}

Result<Token> PeopleService::change_token(const Caller& caller, std::string_view id,
                                          std::optional<std::int64_t> revision,
                                          const TokenPatch& patch) {
  TRY(require(caller, "token.write"));
  if (patch.name) TRY(check_token_name(*patch.name));
  Token changed;
  TRY(store_.change(caller, "update_token", [&](Change& change) -> Status {
    const auto before = TRY(find_token_row(change.tx(), id));
    if (!before) return fail(Code::not_found, "there is no token " + std::string(id));
    TRY(check_revision(revision, before->revision));
    if (before->revoked_at) return fail(Code::conflict, "this token is revoked: make a new one");
    Token token = *before;
    if (patch.name) token.name = *patch.name;
    if (patch.roles) token.roles = *patch.roles;
    if (patch.sites) token.sites = *patch.sites;
    if (patch.expires_at) {
      token.expires_at = *patch.expires_at;
      TRY(check_expiry(token.kind, token.expires_at, change.now()));
    }
    if (patch.roles || patch.sites) TRY(check_grant(caller, token.kind, token.roles, token.sites));
    token.updated_at = change.now();
    token.revision = before->revision + 1;
    TRY(update_token(change.tx(), token));
    TRY(change.audit(token.id, wire::json_text(token_json(*before)),
                     wire::json_text(token_json(token))));
    TRY(change.notice("token.changed",
                      wire::json_text(wire::JsonObject{{"token_id", token.id},
                                                       {"revision", token.revision},
                                                       {"members", token_members(patch)}})));
    changed = std::move(token);
    return {};
  }));
  return changed;
}

Status PeopleService::revoke_row(Change& change, Token token, std::string_view reason) {
  const std::string before = wire::json_text(token_json(token));
  token.revoked_at = change.now();
  token.updated_at = change.now();
  token.revision += 1;
  TRY(update_token(change.tx(), token));
  TRY(change.audit(token.id, before, wire::json_text(token_json(token))));
  return change.notice("token.revoked", wire::json_text(wire::JsonObject{{"token_id", token.id},
                                                                         {"reason", reason}}));
}

Status PeopleService::revoke_token(const Caller& caller, std::string_view id) {
  const Token token = TRY(find_token(caller, id));
  TRY(require(caller, "token.write"));
  if (token.revoked_at) return {};  // twice is once
  return store_.change(caller, "revoke_token", [&](Change& change) -> Status {
    auto stored = TRY(find_token_row(change.tx(), id));
    if (!stored) return fail(Code::not_found, "there is no token " + std::string(id));
    return revoke_row(change, std::move(*stored), "revoked");
  });
}

}  // namespace holdfast::core
