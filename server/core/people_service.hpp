// The People service's insides, split over people.cpp (who calls), people_users.cpp and
// people_tokens.cpp. Private to server/core.
#pragma once

#include <map>
#include <unordered_map>

#include "libs/base/guarded.hpp"
#include "server/core/passwords.hpp"
#include "server/core/people.hpp"
#include "server/core/people_rows.hpp"
#include "server/core/sign_in_limit.hpp"

namespace holdfast::core {

struct SessionTag {
  static constexpr std::string_view kPrefix = "ses_";
};
struct ServiceTag {
  static constexpr std::string_view kPrefix = "svc_";
};
using SessionId = Id<SessionTag>;
using ServiceId = Id<ServiceTag>;

inline constexpr std::size_t kUsesMax = 100'000;  // last uses kept in memory until they are flushed

class PeopleService final : public People {
 public:
  PeopleService(Store& store, os::Threads& threads, Metrics& metrics, PasswordCosts costs);

  Result<Caller> authenticate_bearer(std::string_view secret, std::string_view address,
                                     std::string_view request_id,
                                     Purpose purpose = Purpose::request) override;
  Result<Caller> authenticate_session(std::string_view cookie, std::string_view address,
                                      std::string_view request_id,
                                      Purpose purpose = Purpose::request) override;
  std::optional<Duration> sign_in_wait(std::string_view name, std::string_view address) override;
  Result<SignedIn> sign_in(std::string_view name, std::string_view password,
                           std::string_view address, std::string_view request_id) override;
  Status sign_out(const Caller& caller, std::string_view cookie) override;
  Result<std::optional<WallTime>> ends(const Caller& caller, std::string_view secret) override;

  Result<bool> setup_open() override;
  Result<std::string> make_setup_secret() override;
  Result<SignedIn> set_up(std::string_view secret, std::string_view name, std::string_view password,
                          std::string_view address, std::string_view request_id) override;
  Result<std::string> make_bootstrap_token() override;

  Result<User> create_user(const Caller& caller, const NewUser& user) override;
  Result<User> find_user(const Caller& caller, UserId id) override;
  Result<std::vector<User>> list_users(const Caller& caller, const PeopleQuery& query) override;
  Result<User> change_user(const Caller& caller, UserId id, std::optional<std::int64_t> revision,
                           const UserPatch& patch) override;
  Status remove_user(const Caller& caller, UserId id,
                     std::optional<std::int64_t> revision) override;

  Result<TokenWithSecret> create_token(const Caller& caller, const NewToken& token) override;
  Result<Token> find_token(const Caller& caller, std::string_view id) override;
  Result<std::vector<Token>> list_tokens(const Caller& caller, const PeopleQuery& query) override;
  Result<Token> change_token(const Caller& caller, std::string_view id,
                             std::optional<std::int64_t> revision,
                             const TokenPatch& patch) override;
  Status revoke_token(const Caller& caller, std::string_view id) override;

  Status flush() override;

 private:
  struct Use {
    WallTime at;
    std::string address;
  };
  struct StoredSession {
    std::string id;
    UserId user;
    WallTime created_at, last_used_at;
  };

  WallTime now() const { return store_.clock().wall(); }
  std::string new_secret();  // 43 characters
  void note_use(const std::string& id, std::string_view address);
  WallTime last_use(const std::string& id, WallTime stored) const;
  Result<std::optional<StoredSession>> find_session(sql::Tx& tx, std::string_view cookie);
  WallTime session_end(const StoredSession& session) const;
  Result<SignedIn> open_session(Change& change, StoredUser user);
  Result<Caller> caller_of_token(sql::Tx& tx, const Token& token);
  Result<bool> bootstrap_fits(sql::Tx& tx, View digest);
  Status close_sessions(Change& change, UserId user, std::string_view reason);
  Status apply_patch(Change& change, StoredUser& stored, const UserPatch& patch,
                     const std::string& password_hash);
  Status revoke_row(Change& change, Token token, std::string_view reason);
  Status check_password(std::string_view password) const;

  Store& store_;
  Passwords passwords_;
  Guarded<SignInLimit> limit_;
  Guarded<std::unordered_map<std::string, Use>> uses_;
  Counter& failures_;
  Counter& limited_;
};

Caller caller_of_user(const User& user, std::string_view address, std::string_view request_id);
Status check_user_name(std::string_view name);
Error value_error(std::string_view pointer, std::string message);
// precondition_failed when a revision was asked for and is not this one.
Status check_revision(std::optional<std::int64_t> wanted, std::int64_t have);

}  // namespace holdfast::core
