// Who calls: sign-in, sessions, bearer tokens, set-up.
#include "server/core/people.hpp"

#include <algorithm>

#include "server/core/people_service.hpp"

namespace holdfast::core {

namespace {

constexpr std::string_view kTokenPrefix = "hft_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSecretLetters = 43;

Error signed_out() {
  return Error{Code::unauthenticated, "sign in, or send a valid token", {}, {}, {}};
}

std::string seconds_up(Duration wait) {
  return std::to_string((wait.us + 999'999) / 1'000'000);
}

Status store_one_time(Change& change, std::string_view kind, std::string_view secret,
                      std::optional<WallTime> expires_at) {
  TRY(change.tx().exec(
      "INSERT INTO one_time_secret (kind, digest, created_at, expires_at) VALUES (?,?,?,?)"
      " ON CONFLICT (kind) DO UPDATE SET digest = excluded.digest,"
      " created_at = excluded.created_at, expires_at = excluded.expires_at",
      {kind, secret_digest(secret), change.now(), expires_at}));
  return {};
}

struct OneTimeSecret {
  Bytes digest;
  std::optional<WallTime> expires_at;
};

Result<std::optional<OneTimeSecret>> find_one_time(sql::Tx& tx, std::string_view kind) {
  return tx.one("SELECT digest, expires_at FROM one_time_secret WHERE kind = ?", {kind},
                [](sql::Row& row) { return OneTimeSecret{row.blob(0), row.maybe_time(1)}; });
}

Result<bool> setup_is_open(sql::Tx& tx) {
  const std::int64_t administrators = TRY(count_other_administrators(tx, UserId{}));
  return administrators == 0;
}

}  // namespace

Caller caller_of_user(const User& user, std::string_view address, std::string_view request_id) {
  Caller caller;
  caller.kind = Caller::Kind::user;
  caller.id = user.id.text();
  caller.name = user.name;
  caller.user_id = caller.id;
  caller.roles = user.roles;
  caller.sites = user.sites;
  caller.request_id = request_id;
  caller.address = address;
  return caller;
}

Error value_error(std::string_view pointer, std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, std::string(pointer)};
}

Status check_revision(std::optional<std::int64_t> wanted, std::int64_t have) {
  if (!wanted || *wanted == have) return {};
  return fail(Code::precondition_failed,
              "it is at revision " + std::to_string(have) + " by now: read it again");
}

PeopleService::PeopleService(Store& store, os::Threads& threads, Metrics& metrics,
                             PasswordCosts costs)
    : store_(store),
      passwords_(store.entropy(), threads, metrics, kHashesMax, kHashesWaitingMax, costs),
      failures_(metrics.counter("holdfast_sign_in_failures_total",
                                "Sign-ins with a wrong name or password")),
      limited_(metrics.counter("holdfast_sign_in_limited_total",
                               "Sign-ins refused after too many failures")) {}

std::string PeopleService::new_secret() {
  return to_base64url(store_.entropy().bytes(kSecretBytes));
}

// ---- last uses

void PeopleService::note_use(const std::string& id, std::string_view address) {
  const WallTime at = now();
  uses_.with([&](auto& uses) {
    if (uses.size() < kUsesMax || uses.contains(id)) uses[id] = {at, std::string(address)};
  });
}

WallTime PeopleService::last_use(const std::string& id, WallTime stored) const {
  return uses_.with([&](const auto& uses) {
    const auto at = uses.find(id);
    return at == uses.end() ? stored : std::max(stored, at->second.at);
  });
}

Status PeopleService::flush() {
  const auto uses = uses_.with([](auto& all) { return std::exchange(all, {}); });
  const Status done =
      store_.record(Caller::system(), "people.flush", [&](Change& change) -> Status {
        for (const auto& [id, use] : uses) {
          if (id.starts_with(SessionTag::kPrefix)) {
            TRY(change.tx().exec("UPDATE person_session SET last_used_at = ? WHERE id = ?",
                                 {use.at, id}));
          } else {
            TRY(change.tx().exec(
                "UPDATE api_token SET last_used_at = ?, last_used_address = ? WHERE id = ?",
                {use.at, use.address, id}));
          }
        }
        TRY(change.tx().exec(
            "DELETE FROM person_session WHERE last_used_at <= ? OR created_at <= ?",
            {change.now() - kSessionIdle, change.now() - kSessionLife}));
        return {};
      });
  if (!done) {
    uses_.with([&](auto& all) {
      for (const auto& [id, use] : uses) all.try_emplace(id, use);
    });
  }
  return done;
}

// ---- bearer tokens

Result<Caller> PeopleService::caller_of_token(sql::Tx& tx, const Token& token) {
  const WallTime at = now();
  if (token.revoked_at || (token.expires_at && *token.expires_at <= at))
    return std::unexpected(signed_out());
  Caller caller;
  caller.kind = token.kind == TokenKind::api ? Caller::Kind::api : Caller::Kind::service;
  caller.id = token.id;
  caller.name = token.name;
  caller.roles = token.roles;
  caller.sites = token.sites;
  if (token.kind == TokenKind::service) return caller;
  // It never holds more than its user does now.
  const auto user = token.user ? TRY(find_user_row(tx, *token.user)) : std::nullopt;
  if (!user || user->user.disabled) return std::unexpected(signed_out());
  caller.user_id = user->user.id.text();
  caller.owner_roles = user->user.roles;
  caller.sites = intersect(token.sites, user->user.sites);
  return caller;
}

Result<bool> PeopleService::bootstrap_fits(sql::Tx& tx, View digest) {
  const auto stored = TRY(find_one_time(tx, "bootstrap"));
  return stored && equal_secret(stored->digest, digest) && stored->expires_at &&
         *stored->expires_at > now();
}

Result<Caller> PeopleService::authenticate_bearer(std::string_view secret, std::string_view address,
                                                  std::string_view request_id, Purpose purpose) {
  if (!secret.starts_with(kTokenPrefix) || secret.size() != kTokenPrefix.size() + kSecretLetters) {
    return std::unexpected(signed_out());
  }
  const Bytes digest = secret_digest(secret);
  Caller caller;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    if (const auto token = TRY(find_token_by_digest(tx, digest))) {
      caller = TRY(caller_of_token(tx, *token));
      return {};
    }
    if (!TRY(bootstrap_fits(tx, digest))) return std::unexpected(signed_out());
    caller.kind = Caller::Kind::bootstrap;
    caller.id = "bootstrap";
    caller.name = "bootstrap";
    caller.roles = Roles{Role::administrator};
    return {};
  }));
  caller.address = address;
  caller.request_id = request_id;
  const bool counts = purpose == Purpose::request && caller.kind != Caller::Kind::bootstrap;
  if (counts) note_use(caller.id, address);
  return caller;
}

// ---- sessions

Result<std::optional<PeopleService::StoredSession>> PeopleService::find_session(
    sql::Tx& tx, std::string_view cookie) {
  return tx.one(
      "SELECT id, person_id, created_at, last_used_at FROM person_session WHERE digest = ?",
      {secret_digest(cookie)}, [](sql::Row& row) {
        return StoredSession{row.text(0), row.id<UserId>(1), row.time(2), row.time(3)};
      });
}

WallTime PeopleService::session_end(const StoredSession& session) const {
  return std::min(session.created_at + kSessionLife,
                  last_use(session.id, session.last_used_at) + kSessionIdle);
}

Result<Caller> PeopleService::authenticate_session(std::string_view cookie,
                                                   std::string_view address,
                                                   std::string_view request_id, Purpose purpose) {
  if (cookie.size() != kSecretLetters) return std::unexpected(signed_out());
  Caller caller;
  std::string session_id;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    const auto session = TRY(find_session(tx, cookie));
    if (!session || session_end(*session) <= now()) return std::unexpected(signed_out());
    const auto user = TRY(find_user_row(tx, session->user));
    if (!user || user->user.disabled) return std::unexpected(signed_out());
    caller = caller_of_user(user->user, address, request_id);
    session_id = session->id;
    return {};
  }));
  if (purpose == Purpose::request) note_use(session_id, address);
  return caller;
}

Result<SignedIn> PeopleService::open_session(Change& change, StoredUser stored) {
  SignedIn opened;
  opened.caller = change.caller();
  opened.cookie = new_secret();
  opened.session_id = change.new_id<SessionId>().text();
  opened.expires_at = change.now() + kSessionIdle;
  stored.user.last_sign_in = change.now();
  TRY(update_user(change.tx(), stored));
  TRY(change.tx().exec(
      "INSERT INTO person_session (id, digest, person_id, address, created_at, last_used_at)"
      " VALUES (?,?,?,?,?,?)",
      {opened.session_id, secret_digest(opened.cookie), stored.user.id, change.caller().address,
       change.now(), change.now()}));
  // The oldest make room.
  TRY(change.tx().exec(
      "DELETE FROM person_session WHERE person_id = ? AND id NOT IN (SELECT id FROM person_session"
      " WHERE person_id = ? ORDER BY created_at DESC, id DESC LIMIT ?)",
      {stored.user.id, stored.user.id, static_cast<std::uint64_t>(kSessionsPerUserMax)}));
  const std::string user_id = stored.user.id.text();
  TRY(change.audit(user_id, "",
                   wire::json_text(wire::JsonObject{{"session_id", opened.session_id},
                                                    {"address", change.caller().address}})));
  TRY(change.notice("session.opened",
                    wire::json_text(wire::JsonObject{{"session_id", opened.session_id},
                                                     {"user_id", user_id},
                                                     {"address", change.caller().address}})));
  return opened;
}

std::optional<Duration> PeopleService::sign_in_wait(std::string_view name,
                                                    std::string_view address) {
  const MonoTime now = store_.clock().mono();
  return limit_.with(
      [&](const SignInLimit& limit) { return limit.wait(lower(name), address, now); });
}

Result<SignedIn> PeopleService::sign_in(std::string_view name, std::string_view password,
                                        std::string_view address, std::string_view request_id) {
  const std::string key = lower(name);
  const MonoTime tried = store_.clock().mono();
  if (const auto wait = sign_in_wait(name, address)) {
    limited_.add();
    return fail(Code::rate_limited, "too many failed attempts: wait " + seconds_up(*wait) + " s");
  }
  std::optional<StoredUser> user;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    user = TRY(find_user_named(tx, name));
    return {};
  }));
  const bool fits =
      TRY(passwords_.fits(user ? user->password : "", password.substr(0, kPasswordBytesMax + 1)));
  if (!fits || user->user.disabled) {
    failures_.add();
    limit_.with([&](SignInLimit& limit) { limit.failed(key, address, tried); });
    return fail(Code::unauthenticated, "name or password is wrong");
  }
  limit_.with([&](SignInLimit& limit) { limit.succeeded(key); });
  SignedIn opened;
  const Caller caller = caller_of_user(user->user, address, request_id);
  TRY(store_.change(caller, "create_session", [&](Change& change) -> Status {
    const auto still = TRY(find_user_row(change.tx(), user->user.id));
    if (!still || still->user.disabled || still->password != user->password)
      return std::unexpected(signed_out());
    opened = TRY(open_session(change, *still));
    return {};
  }));
  return opened;
}

Status PeopleService::sign_out(const Caller& caller, std::string_view cookie) {
  return store_.change(caller, "delete_session", [&](Change& change) -> Status {
    const auto session = TRY(find_session(change.tx(), cookie));
    if (!session) return std::unexpected(signed_out());
    TRY(change.tx().exec("DELETE FROM person_session WHERE id = ?", {session->id}));
    const wire::JsonObject closed{{"session_id", session->id}};
    TRY(change.audit(session->user.text(), wire::json_text(closed), ""));
    return change.notice("session.closed",
                         wire::json_text(wire::JsonObject{{"session_id", session->id},
                                                          {"user_id", session->user.text()},
                                                          {"reason", "signed_out"}}));
  });
}

Result<std::optional<WallTime>> PeopleService::ends(const Caller& caller, std::string_view secret) {
  std::optional<WallTime> end;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    if (caller.kind == Caller::Kind::user) {
      if (const auto session = TRY(find_session(tx, secret))) end = session_end(*session);
    } else if (caller.kind == Caller::Kind::bootstrap) {
      if (const auto stored = TRY(find_one_time(tx, "bootstrap"))) end = stored->expires_at;
    } else if (const auto token = TRY(find_token_row(tx, caller.id))) {
      end = token->expires_at;
    }
    return {};
  }));
  return end;
}

// ---- set-up

Result<bool> PeopleService::setup_open() {
  bool open = false;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    open = TRY(setup_is_open(tx));
    return {};
  }));
  return open;
}

Result<std::string> PeopleService::make_setup_secret() {
  const std::string secret = new_secret();
  TRY(store_.record(Caller::system(), "setup.secret", [&](Change& change) -> Status {
    if (!TRY(setup_is_open(change.tx())))
      return fail(Code::setup_closed, "there is an administrator already");
    return store_one_time(change, "setup", secret, std::nullopt);
  }));
  return secret;
}

Result<SignedIn> PeopleService::set_up(std::string_view secret, std::string_view name,
                                       std::string_view password, std::string_view address,
                                       std::string_view request_id) {
  if (!TRY(setup_open())) return fail(Code::setup_closed, "set-up is done: sign in");
  const MonoTime tried = store_.clock().mono();
  const std::string key = "setup " + std::string(address);  // no one's name
  if (limit_.with([&](const SignInLimit& limit) { return limit.wait(key, address, tried); })) {
    limited_.add();
    return fail(Code::rate_limited, "too many failed attempts: wait a little");
  }
  const auto fits = [&](sql::Tx& tx) -> Result<bool> {
    const auto stored = TRY(find_one_time(tx, "setup"));
    return stored && equal_secret(stored->digest, secret_digest(secret));
  };
  bool right = false;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    right = TRY(fits(tx));
    return {};
  }));
  if (!right) {
    limit_.with([&](SignInLimit& limit) { limit.failed(key, address, tried); });
    return fail(Code::unauthenticated,
                "this set-up link is not valid: take the newest one from the server's output");
  }
  TRY(check_user_name(name));
  TRY(check_password(password));
  StoredUser stored;
  stored.password = TRY(passwords_.hash(password));
  stored.user.id = store_.entropy().make<UserId>(now());
  stored.user.name = name;
  stored.user.roles = Roles{Role::administrator};
  SignedIn opened;
  const Caller caller = caller_of_user(stored.user, address, request_id);
  TRY(store_.change(caller, "complete_setup", [&](Change& change) -> Status {
    if (!TRY(setup_is_open(change.tx())))
      return fail(Code::setup_closed, "set-up was done a moment ago: sign in");
    if (!TRY(fits(change.tx()))) return std::unexpected(signed_out());
    stored.user.created_at = stored.user.updated_at = change.now();
    TRY(insert_user(change.tx(), stored));
    TRY(change.tx().exec("DELETE FROM one_time_secret WHERE kind = 'setup'"));
    const std::string id = stored.user.id.text();
    TRY(change.audit(id, "", wire::json_text(user_json(stored.user))));
    TRY(change.notice("setup.completed", wire::json_text(wire::JsonObject{{"user_id", id}})));
    opened = TRY(open_session(change, stored));
    return {};
  }));
  return opened;
}

Result<std::string> PeopleService::make_bootstrap_token() {
  const std::string secret = std::string(kTokenPrefix) + new_secret();
  TRY(store_.record(Caller::system(), "bootstrap.token", [&](Change& change) {
    return store_one_time(change, "bootstrap", secret, change.now() + kBootstrapLife);
  }));
  return secret;
}

Result<std::unique_ptr<People>> People::make(Store& store, os::Threads& threads, Metrics& metrics,
                                             PasswordCosts costs) {
  return std::make_unique<PeopleService>(store, threads, metrics, costs);
}

}  // namespace holdfast::core
