// People and programs that use the operator API: users, API tokens, service credentials, sessions,
// and the one-time set-up. Secrets are kept as digests only: passwords as Argon2id (64 MiB x 3),
// tokens and session cookies as SHA-256.
//
// Every change goes through Store::change with the given caller; the caller's permission is checked
// here (user.write, token.write), routes need not.
// Threads: all calls block (SQL, hashing): from workers. At most kHashesMax passwords are hashed at
// once; more wait, and more than kHashesWaitingMax answer overloaded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/metrics.hpp"
#include "server/core/change.hpp"
#include "server/core/passwords.hpp"

namespace holdfast::core {

inline constexpr unsigned kHashesMax = 2;
inline constexpr unsigned kHashesWaitingMax = 64;
inline constexpr Duration kSessionIdle = hours(12);
inline constexpr Duration kSessionLife = days(30);
inline constexpr Duration kTokenLifeDefault = days(90);
inline constexpr Duration kBootstrapLife = days(7);
inline constexpr std::size_t kSessionsPerUserMax = 50;
inline constexpr std::size_t kUsersMax = 100'000;
inline constexpr std::size_t kTokensMax = 100'000;

struct User {
  UserId id;
  std::string name;
  Roles roles;
  Sites sites;
  bool disabled = false;
  std::optional<WallTime> last_sign_in;
  WallTime created_at, updated_at;
  std::int64_t revision = 1;
};
struct NewUser {
  std::string name;
  std::string password;
  Roles roles;
  Sites sites;
  bool disabled = false;
};
// Absent members stay as they are. `sites` present with nullopt inside: all sites.
struct UserPatch {
  std::optional<std::string> name{}, password{};
  std::optional<Roles> roles{};
  std::optional<Sites> sites{};
  std::optional<bool> disabled{};
};

enum class TokenKind : std::uint8_t { api, service };
struct Token {
  std::string id;  // "tok_..." or "svc_..."
  TokenKind kind = TokenKind::api;
  std::string name;
  Roles roles;
  Sites sites;
  std::optional<UserId> user;  // api: acts for this user and never holds more than they do
  std::optional<WallTime> expires_at, revoked_at, last_used_at;
  std::string last_used_address;
  std::string created_by;
  WallTime created_at, updated_at;
  std::int64_t revision = 1;
};
struct NewToken {
  TokenKind kind = TokenKind::api;
  std::string name{};
  Roles roles{};
  Sites sites{};
  // Absent: 90 days for api; present with nullopt: never (service only).
  std::optional<std::optional<WallTime>> expires_at{};
};
struct TokenPatch {
  std::optional<std::string> name{};
  std::optional<Roles> roles{};
  std::optional<Sites> sites{};
  std::optional<std::optional<WallTime>> expires_at{};
};
struct TokenWithSecret {
  Token token;
  std::string secret;  // "hft_" and 43 characters; shown once
};

struct SignedIn {
  std::string cookie;  // the session's secret, 43 characters
  std::string session_id;
  WallTime expires_at;
  Caller caller;
};

// Pages by id: `after` is the last id of the page before.
struct PeopleQuery {
  std::string q{};  // part of the name; empty: all
  std::string after{};
  std::size_t limit = 100;
  std::optional<TokenKind> kind{};
};

class People {
 public:
  static Result<std::unique_ptr<People>> make(Store& store, os::Threads& threads, Metrics& metrics,
                                              PasswordCosts costs = {});
  virtual ~People() = default;

  // --- who calls; none of these tells which part was wrong (unauthenticated) ---
  // A request is a use, which keeps a session alive; a look at a stream that is open is none.
  enum class Purpose : std::uint8_t { request, look };
  virtual Result<Caller> authenticate_bearer(std::string_view secret, std::string_view address,
                                             std::string_view request_id,
                                             Purpose purpose = Purpose::request) = 0;
  virtual Result<Caller> authenticate_session(std::string_view cookie, std::string_view address,
                                              std::string_view request_id,
                                              Purpose purpose = Purpose::request) = 0;
  // unauthenticated, or rate_limited: after 5 failures in a minute for a name or an address, with a
  // back-off that doubles up to 15 minutes (of failures; a success clears the name).
  virtual Result<SignedIn> sign_in(std::string_view name, std::string_view password,
                                   std::string_view address, std::string_view request_id) = 0;
  // How long sign_in() would answer rate_limited.
  virtual std::optional<Duration> sign_in_wait(std::string_view name, std::string_view address) = 0;
  virtual Status sign_out(const Caller& caller, std::string_view cookie) = 0;
  // When the session (by cookie) or token (by secret) ends by itself; for "who am I".
  virtual Result<std::optional<WallTime>> ends(const Caller& caller, std::string_view secret) = 0;

  // --- set-up ---
  virtual Result<bool> setup_open() = 0;
  // A new one-time secret for the set-up link, while set-up is open; a later one replaces it.
  virtual Result<std::string> make_setup_secret() = 0;
  virtual Result<SignedIn> set_up(std::string_view secret, std::string_view name,
                                  std::string_view password, std::string_view address,
                                  std::string_view request_id) = 0;
  // The bootstrap administrator token: replaces the one before, lives kBootstrapLife.
  virtual Result<std::string> make_bootstrap_token() = 0;

  // --- users ---
  virtual Result<User> create_user(const Caller& caller, const NewUser& user) = 0;
  virtual Result<User> find_user(const Caller& caller, UserId id) = 0;
  virtual Result<std::vector<User>> list_users(const Caller& caller, const PeopleQuery& query) = 0;
  // `revision`: nullopt matches any (If-Match: *); else precondition_failed when it differs. The
  // last enabled administrator without site limits stays (conflict).
  virtual Result<User> change_user(const Caller& caller, UserId id,
                                   std::optional<std::int64_t> revision,
                                   const UserPatch& patch) = 0;
  virtual Status remove_user(const Caller& caller, UserId id,
                             std::optional<std::int64_t> revision) = 0;

  // --- tokens ---
  virtual Result<TokenWithSecret> create_token(const Caller& caller, const NewToken& token) = 0;
  virtual Result<Token> find_token(const Caller& caller, std::string_view id) = 0;
  virtual Result<std::vector<Token>> list_tokens(const Caller& caller,
                                                 const PeopleQuery& query) = 0;
  virtual Result<Token> change_token(const Caller& caller, std::string_view id,
                                     std::optional<std::int64_t> revision,
                                     const TokenPatch& patch) = 0;
  virtual Status revoke_token(const Caller& caller, std::string_view id) = 0;

  // Last uses live in memory; a job flushes them, and removes ended sessions.
  virtual Status flush() = 0;
};

}  // namespace holdfast::core
