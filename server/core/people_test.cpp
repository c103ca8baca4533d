#include "server/core/people.hpp"

#include <gtest/gtest.h>

#include "libs/wire/json.hpp"
#include "server/core/audit.hpp"
#include "server/core/notices.hpp"
#include "server/core/testing/test_store.hpp"

namespace holdfast::core {
namespace {

constexpr PasswordCosts kCheap{.memory_kib = 64, .passes = 1};
const std::string kPassword = "correct horse battery";

class PeopleTest : public testing::Test {
 protected:
  PeopleTest() : t_(11) {
    EXPECT_TRUE(t_.open());
    people_ = std::move(*People::make(t_.store(), t_.system().threads, t_.metrics, kCheap));
  }

  SignedIn set_up() {
    const auto secret = people_->make_setup_secret();
    EXPECT_TRUE(secret);
    auto done = people_->set_up(*secret, "root", kPassword, "192.0.2.1", "req_1");
    EXPECT_TRUE(done) << done.error().text();
    return *done;
  }
  User add(std::string_view name, Roles roles, Sites sites = {}) {
    auto user = people_->create_user(
        admin_, {std::string(name), kPassword, roles, std::move(sites), false});
    EXPECT_TRUE(user) << user.error().text();
    t_.world.run_for(milliseconds(1));  // ids sort by creation, to the millisecond
    return *user;
  }
  Code sign_in_code(std::string_view name, std::string_view password,
                    std::string_view address = "192.0.2.1") {
    const auto done = people_->sign_in(name, password, address, "req_2");
    return done ? Code::unsupported : done.error().code;
  }
  std::vector<std::string> actions() {
    std::vector<std::string> out;
    EXPECT_TRUE(t_.store().read([&](sql::Tx& tx) -> Status {
      audit::Query query;
      query.from_seq = 0;
      for (const auto& entry : TRY(audit::list(tx, t_.sealer(), query)))
        out.push_back(entry.action);
      return {};
    }));
    return out;
  }
  std::vector<std::string> notices() {
    std::vector<std::string> out;
    EXPECT_TRUE(t_.store().read([&](sql::Tx& tx) -> Status {
      for (const auto& notice : TRY(notices_after(tx, 0, {}, 100))) out.push_back(notice.name);
      return {};
    }));
    return out;
  }

  TestStore t_;
  std::unique_ptr<People> people_;
  Caller admin_ = test_caller();
};

TEST_F(PeopleTest, SetUpMakesTheFirstAdministratorOnce) {
  EXPECT_EQ(people_->setup_open(), true);
  const std::string old = *people_->make_setup_secret();
  const std::string secret = *people_->make_setup_secret();
  EXPECT_EQ(people_->set_up(old, "root", kPassword, "a", "r").error().code, Code::unauthenticated);
  EXPECT_EQ(people_->set_up(secret, "ro ot", kPassword, "a", "r").error().pointer, "/name");
  EXPECT_EQ(people_->set_up(secret, "root", "short", "a", "r").error().pointer, "/password");
  const auto done = people_->set_up(secret, "root", kPassword, "192.0.2.1", "req_1");
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(people_->setup_open(), false);
  EXPECT_EQ(people_->set_up(secret, "more", kPassword, "a", "r").error().code, Code::setup_closed);
  EXPECT_EQ(people_->make_setup_secret().error().code, Code::setup_closed);
  const auto caller = people_->authenticate_session(done->cookie, "192.0.2.1", "req_2");
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->name, "root");
  EXPECT_TRUE(require(*caller, "backup.run"));
  EXPECT_EQ(caller->request_id, "req_2");
  EXPECT_EQ(actions(), (std::vector<std::string>{"complete_setup", "complete_setup"}));
  EXPECT_EQ(notices(), (std::vector<std::string>{"setup.completed", "session.opened"}));
}

TEST_F(PeopleTest, GuessingTheSetUpSecretIsSlowedDown) {
  const std::string secret = *people_->make_setup_secret();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(people_->set_up("wrong", "root", kPassword, "a", "r").error().code,
              Code::unauthenticated);
  }
  EXPECT_EQ(people_->set_up(secret, "root", kPassword, "a", "r").error().code, Code::rate_limited);
  EXPECT_TRUE(people_->set_up(secret, "root", kPassword, "b", "r"));
}

TEST_F(PeopleTest, SignInWantsTheRightPasswordAndAnEnabledUser) {
  const User ann = add("Ann", {Role::viewer});
  const auto done = people_->sign_in("aNN", kPassword, "192.0.2.1", "req_1");
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->caller.id, ann.id.text());
  EXPECT_EQ(done->cookie.size(), 43U);
  EXPECT_EQ(sign_in_code("ann", kPassword + "x"), Code::unauthenticated);
  EXPECT_EQ(sign_in_code("nobody", kPassword), Code::unauthenticated);
  ASSERT_TRUE(people_->change_user(admin_, ann.id, {}, {.disabled = true}));
  EXPECT_EQ(sign_in_code("ann", kPassword), Code::unauthenticated);
  EXPECT_EQ(people_->find_user(admin_, ann.id)->last_sign_in, t_.world.wall());
}

TEST_F(PeopleTest, FailuresAreLimitedPerNameAndAddress) {
  add("ann", {Role::viewer});
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(sign_in_code("ann", "wrong password"), Code::unauthenticated);
  EXPECT_EQ(sign_in_code("ann", kPassword, "192.0.2.99"), Code::rate_limited);
  EXPECT_EQ(sign_in_code("other", kPassword), Code::rate_limited);
  t_.world.run_for(seconds(6));
  EXPECT_TRUE(people_->sign_in("ann", kPassword, "192.0.2.99", "r"));
  EXPECT_TRUE(t_.metrics.text().contains("holdfast_sign_in_limited_total 2"));
}

TEST_F(PeopleTest, SessionsSlideAndEnd) {
  const SignedIn session = set_up();
  EXPECT_EQ(session.expires_at, t_.world.wall() + hours(12));
  for (int i = 0; i < 3; ++i) {
    t_.world.run_for(hours(11));
    EXPECT_TRUE(people_->authenticate_session(session.cookie, "a", "r")) << i;
  }
  EXPECT_EQ(*people_->ends(session.caller, session.cookie), t_.world.wall() + hours(12));
  ASSERT_TRUE(people_->flush());
  EXPECT_TRUE(people_->authenticate_session(session.cookie, "a", "r"));
  t_.world.run_for(hours(12));
  EXPECT_EQ(people_->authenticate_session(session.cookie, "a", "r").error().code,
            Code::unauthenticated);
  ASSERT_TRUE(people_->flush());
  EXPECT_EQ(people_->sign_out(session.caller, session.cookie).error().code, Code::unauthenticated);
}

TEST_F(PeopleTest, ASessionLivesThirtyDaysAtMost) {
  const SignedIn session = set_up();
  for (int i = 0; i < 59; ++i) {
    t_.world.run_for(hours(12) - seconds(1));
    ASSERT_TRUE(people_->authenticate_session(session.cookie, "a", "r")) << i;
  }
  t_.world.run_for(hours(12));
  EXPECT_FALSE(people_->authenticate_session(session.cookie, "a", "r"));
}

TEST_F(PeopleTest, SigningOutEndsTheSessionAtOnce) {
  const SignedIn session = set_up();
  ASSERT_TRUE(people_->sign_out(session.caller, session.cookie));
  EXPECT_EQ(people_->authenticate_session(session.cookie, "a", "r").error().code,
            Code::unauthenticated);
  EXPECT_EQ(actions().back(), "delete_session");
  EXPECT_EQ(notices().back(), "session.closed");
}

TEST_F(PeopleTest, TheOldestSessionsMakeRoom) {
  const SignedIn first = set_up();
  std::string last;
  for (std::size_t i = 0; i < kSessionsPerUserMax; ++i) {
    t_.world.run_for(seconds(1));
    last = people_->sign_in("root", kPassword, "a", "r")->cookie;
  }
  EXPECT_FALSE(people_->authenticate_session(first.cookie, "a", "r"));
  EXPECT_TRUE(people_->authenticate_session(last, "a", "r"));
}

TEST_F(PeopleTest, LessAccessEndsSessions) {
  set_up();
  const User ann = add("ann", {Role::viewer, Role::operator_});
  const auto cookie = [&] { return people_->sign_in("ann", kPassword, "a", "r")->cookie; };
  const auto alive = [&](const std::string& it) {
    return people_->authenticate_session(it, "a", "r").has_value();
  };
  std::string it = cookie();
  ASSERT_TRUE(people_->change_user(admin_, ann.id, {}, {.name = "anna"}));
  ASSERT_TRUE(people_->change_user(
      admin_, ann.id, {},
      {.name = "ann", .roles = Roles{Role::viewer, Role::operator_, Role::auditor}}));
  EXPECT_TRUE(alive(it));
  ASSERT_TRUE(people_->change_user(admin_, ann.id, {}, {.roles = Roles{Role::viewer}}));
  EXPECT_FALSE(alive(it));
  it = cookie();
  ASSERT_TRUE(people_->change_user(admin_, ann.id, {},
                                   {.sites = Sites(std::vector<SiteId>{SiteId{Ulid{1}}})}));
  EXPECT_FALSE(alive(it));
  it = cookie();
  ASSERT_TRUE(people_->change_user(admin_, ann.id, {}, {.password = "another long password"}));
  EXPECT_FALSE(alive(it));
  EXPECT_EQ(sign_in_code("ann", kPassword), Code::unauthenticated);
}

TEST_F(PeopleTest, UsersAreChangedUnderTheirRevision) {
  const User ann = add("ann", {Role::viewer});
  const auto changed = people_->change_user(admin_, ann.id, 1, {.name = "Anna"});
  ASSERT_TRUE(changed) << changed.error().text();
  EXPECT_EQ(changed->revision, 2);
  EXPECT_EQ(changed->name, "Anna");
  EXPECT_EQ(people_->change_user(admin_, ann.id, 1, {.name = "x"}).error().code,
            Code::precondition_failed);
  add("bob", {Role::viewer});
  const auto taken = people_->change_user(admin_, ann.id, 2, {.name = "BOB"});
  EXPECT_EQ(taken.error().code, Code::already_exists);
  EXPECT_EQ(taken.error().pointer, "/name");
  EXPECT_EQ(
      people_->create_user(admin_, {"Bob", kPassword, {Role::viewer}, {}, false}).error().code,
      Code::already_exists);
  EXPECT_EQ(people_->change_user(admin_, ann.id, {}, {.roles = Roles{}}).error().pointer, "/roles");
  EXPECT_EQ(people_->change_user(admin_, UserId{}, {}, {.name = "x"}).error().code,
            Code::not_found);
}

TEST_F(PeopleTest, TheLastAdministratorStays) {
  const SignedIn root = set_up();
  const UserId id = *UserId::parse(root.caller.id);
  EXPECT_EQ(people_->remove_user(root.caller, id, {}).error().code, Code::conflict);
  EXPECT_EQ(people_->change_user(root.caller, id, {}, {.disabled = true}).error().code,
            Code::conflict);
  EXPECT_EQ(people_->change_user(root.caller, id, {}, {.roles = Roles{Role::viewer}}).error().code,
            Code::conflict);
  EXPECT_EQ(people_->change_user(root.caller, id, {}, {.sites = Sites(std::vector<SiteId>{})})
                .error()
                .code,
            Code::conflict);
  // One with site limits, or disabled, does not count.
  add("limited", {Role::administrator}, std::vector<SiteId>{SiteId{Ulid{1}}});
  EXPECT_EQ(people_->remove_user(root.caller, id, {}).error().code, Code::conflict);
  add("second", {Role::administrator});
  EXPECT_TRUE(people_->remove_user(root.caller, id, {}));
  EXPECT_FALSE(people_->authenticate_session(root.cookie, "a", "r"));
  EXPECT_EQ(people_->setup_open(), false);
}

TEST_F(PeopleTest, ListsArePagedAndSought) {
  for (const char* name : {"ann", "Anna", "bob", "per_cent"}) add(name, {Role::viewer});
  const auto first = people_->list_users(admin_, {.limit = 3});
  ASSERT_EQ(first->size(), 3U);
  const auto rest = people_->list_users(admin_, {.after = first->back().id.text(), .limit = 3});
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ(rest->front().name, "per_cent");
  EXPECT_EQ(people_->list_users(admin_, {.q = "AN"})->size(), 2U);
  EXPECT_EQ(people_->list_users(admin_, {.q = "_"})->size(), 1U);
  EXPECT_EQ(people_->list_users(admin_, {.after = "nonsense"}).error().code,
            Code::invalid_argument);
}

TEST_F(PeopleTest, PermissionsAreChecked) {
  const Caller auditor = test_caller({Role::auditor});
  const Caller viewer = test_caller({Role::viewer});
  EXPECT_TRUE(people_->list_users(auditor, {}));
  EXPECT_EQ(people_->list_users(viewer, {}).error().permission, "user.read");
  EXPECT_EQ(
      people_->create_user(auditor, {"x", kPassword, {Role::viewer}, {}, false}).error().permission,
      "user.write");
  EXPECT_EQ(
      people_->create_token(auditor, {.name = "x", .roles = {Role::viewer}}).error().permission,
      "token.write");
  EXPECT_EQ(people_->list_tokens(viewer, {}).error().permission, "token.read");
  const Caller limited = test_caller({Role::administrator}, std::vector<SiteId>{SiteId{Ulid{1}}});
  EXPECT_EQ(people_->list_users(limited, {}).error().code, Code::forbidden);
}

TEST_F(PeopleTest, AServiceCredentialIsItsOwnActor) {
  const auto made = people_->create_token(admin_, {.kind = TokenKind::service,
                                                   .name = "CI",
                                                   .roles = {Role::operator_},
                                                   .expires_at = std::optional<WallTime>{}});
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_TRUE(made->token.id.starts_with("svc_"));
  EXPECT_TRUE(made->secret.starts_with("hft_"));
  EXPECT_EQ(made->secret.size(), 47U);
  t_.world.run_for(days(400));
  const auto caller = people_->authenticate_bearer(made->secret, "192.0.2.5", "req_9");
  ASSERT_TRUE(caller) << caller.error().text();
  EXPECT_EQ(caller->id, made->token.id);
  EXPECT_EQ(caller->kind, Caller::Kind::service);
  EXPECT_EQ(caller->address, "192.0.2.5");
  ASSERT_TRUE(people_->flush());
  const auto used = people_->find_token(admin_, made->token.id);
  EXPECT_EQ(used->last_used_at, t_.world.wall());
  EXPECT_EQ(used->last_used_address, "192.0.2.5");
  ASSERT_TRUE(people_->revoke_token(admin_, made->token.id));
  EXPECT_EQ(people_->authenticate_bearer(made->secret, "a", "r").error().code,
            Code::unauthenticated);
  EXPECT_TRUE(people_->revoke_token(admin_, made->token.id)) << "twice is once";
  EXPECT_EQ(people_->revoke_token(admin_, "svc_none").error().code, Code::not_found);
}

TEST_F(PeopleTest, AnApiTokenNeverHoldsMoreThanItsUserDoesNow) {
  const SignedIn root = set_up();
  const User ann = add("ann", {Role::administrator});
  const Caller as_ann = people_->sign_in("ann", kPassword, "a", "r")->caller;
  const auto made =
      people_->create_token(as_ann, {.name = "laptop", .roles = {Role::administrator}});
  ASSERT_TRUE(made) << made.error().text();
  const auto small =
      people_->create_token(as_ann, {.name = "wall display", .roles = {Role::viewer}});
  EXPECT_EQ(permissions_of(*people_->authenticate_bearer(small->secret, "a", "r")),
            permissions_of(test_caller({Role::viewer})));
  EXPECT_EQ(made->token.expires_at, t_.world.wall() + days(90));
  EXPECT_EQ(people_->authenticate_bearer(made->secret, "a", "r")->user_id, ann.id.text());
  ASSERT_TRUE(people_->change_user(root.caller, ann.id, {}, {.roles = Roles{Role::viewer}}));
  const auto demoted = people_->authenticate_bearer(made->secret, "a", "r");
  EXPECT_EQ(permissions_of(*demoted), permissions_of(test_caller({Role::viewer})));
  ASSERT_TRUE(people_->change_user(
      root.caller, ann.id, {},
      {.roles = Roles{Role::administrator}, .sites = Sites(std::vector<SiteId>{})}));
  EXPECT_EQ(people_->authenticate_bearer(made->secret, "a", "r")->sites,
            Sites(std::vector<SiteId>{}));
  ASSERT_TRUE(people_->change_user(root.caller, ann.id, {}, {.disabled = true}));
  EXPECT_FALSE(people_->authenticate_bearer(made->secret, "a", "r"));
  ASSERT_TRUE(people_->remove_user(root.caller, ann.id, {}));
  EXPECT_FALSE(people_->authenticate_bearer(made->secret, "a", "r"));
  EXPECT_NE(people_->find_token(admin_, made->token.id)->revoked_at, std::nullopt);
}

TEST_F(PeopleTest, TokensEnd) {
  const WallTime end = t_.world.wall() + hours(1);
  const SignedIn root = set_up();
  const auto made = people_->create_token(
      root.caller, {.name = "x", .roles = {Role::viewer}, .expires_at = std::optional(end)});
  ASSERT_TRUE(made) << made.error().text();
  const auto caller = people_->authenticate_bearer(made->secret, "a", "r");
  ASSERT_TRUE(caller);
  EXPECT_EQ(*people_->ends(*caller, made->secret), end);
  t_.world.run_for(hours(1));
  EXPECT_EQ(people_->authenticate_bearer(made->secret, "a", "r").error().code,
            Code::unauthenticated);
}

TEST_F(PeopleTest, WrongTokensAreRefused) {
  const SignedIn root = set_up();
  const auto refused = [&](const Caller& caller, const NewToken& token) {
    const auto made = people_->create_token(caller, token);
    return made ? std::string("accepted") : made.error().pointer;
  };
  EXPECT_EQ(refused(root.caller, {.name = "", .roles = {Role::viewer}}), "/name");
  EXPECT_EQ(refused(root.caller, {.name = "a\nb", .roles = {Role::viewer}}), "/name");
  EXPECT_EQ(refused(root.caller, {.name = "x", .roles = {}}), "/roles");
  EXPECT_EQ(refused(root.caller, {.name = "x",
                                  .roles = {Role::administrator},
                                  .expires_at = std::optional<WallTime>{}}),
            "/expires_at");
  EXPECT_EQ(refused(root.caller, {.name = "x",
                                  .roles = {Role::administrator},
                                  .expires_at = std::optional(WallTime{1})}),
            "/expires_at");
  Caller bootstrap = test_caller();
  bootstrap.user_id.clear();
  EXPECT_EQ(refused(bootstrap, {.name = "x", .roles = {Role::administrator}}), "/kind");
  for (const std::string& secret :
       {std::string(), std::string("hft_"), "hft_" + std::string(43, 'A'), std::string(47, 'A')}) {
    EXPECT_EQ(people_->authenticate_bearer(secret, "a", "r").error().code, Code::unauthenticated);
  }
}

TEST_F(PeopleTest, TokensAreChangedUnderTheirRevision) {
  const auto made = people_->create_token(
      admin_, {.kind = TokenKind::service, .name = "CI", .roles = {Role::operator_}});
  const std::string id = made->token.id;
  const auto changed =
      people_->change_token(admin_, id, 1, {.name = "CD", .roles = Roles{Role::viewer}});
  ASSERT_TRUE(changed) << changed.error().text();
  EXPECT_EQ(changed->revision, 2);
  EXPECT_EQ(people_->authenticate_bearer(made->secret, "a", "r")->roles, Roles{Role::viewer});
  EXPECT_EQ(people_->change_token(admin_, id, 1, {.name = "x"}).error().code,
            Code::precondition_failed);
  EXPECT_EQ(people_->list_tokens(admin_, {.q = "cd"})->size(), 1U);
  EXPECT_EQ(people_->list_tokens(admin_, {.kind = TokenKind::api})->size(), 0U);
  ASSERT_TRUE(people_->revoke_token(admin_, id));
  EXPECT_EQ(people_->change_token(admin_, id, {}, {.name = "x"}).error().code, Code::conflict);
}

TEST_F(PeopleTest, TheBootstrapTokenLivesSevenDaysAndIsReplaced) {
  const std::string first = *people_->make_bootstrap_token();
  const std::string second = *people_->make_bootstrap_token();
  EXPECT_FALSE(people_->authenticate_bearer(first, "a", "r"));
  const auto caller = people_->authenticate_bearer(second, "a", "r");
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->kind, Caller::Kind::bootstrap);
  EXPECT_TRUE(require(*caller, "user.write"));
  EXPECT_EQ(*people_->ends(*caller, second), t_.world.wall() + days(7));
  t_.world.run_for(days(7));
  EXPECT_FALSE(people_->authenticate_bearer(second, "a", "r"));
}

TEST_F(PeopleTest, NoSecretIsKeptOrLogged) {
  const SignedIn root = set_up();
  const auto token =
      people_->create_token(root.caller, {.name = "x", .roles = {Role::administrator}});
  const std::string bootstrap = *people_->make_bootstrap_token();
  ASSERT_TRUE(t_.database().maintain());
  const auto file = os::read_file(t_.system().files, "/data/holdfast.db", 1 << 24);
  ASSERT_TRUE(file);
  for (const std::string& secret : {kPassword, root.cookie, token->secret, bootstrap}) {
    EXPECT_FALSE(text_of(*file).contains(secret));
    EXPECT_FALSE(t_.log_lines.contains(secret));
  }
}

TEST_F(PeopleTest, PeopleSurviveACrash) {
  const SignedIn root = set_up();
  people_.reset();
  t_.crash();
  ASSERT_TRUE(t_.open());
  people_ = std::move(*People::make(t_.store(), t_.system().threads, t_.metrics, kCheap));
  EXPECT_TRUE(people_->authenticate_session(root.cookie, "a", "r"));
  EXPECT_TRUE(people_->sign_in("root", kPassword, "a", "r"));
}

TEST(PasswordsTest, AreHashedAsRfc9106SaysWithTheRealCosts) {
  const auto system = std::move(*os::RealSystem::make());
  Metrics metrics;
  Passwords passwords(system->system().entropy, system->system().threads, metrics, 2, 8, {});
  const auto hash = passwords.hash("correct horse");
  ASSERT_TRUE(hash) << hash.error().text();
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=65536,t=3,p=1$")) << *hash;
  EXPECT_EQ(passwords.fits(*hash, "correct horse"), true);
  EXPECT_EQ(passwords.fits(*hash, "correct horsf"), false);
  EXPECT_EQ(passwords.fits("nonsense", "correct horse"), false);
}

TEST(PasswordsTest, TooManyAtOnceAreRefused) {
  const auto system = std::move(*os::RealSystem::make());
  Metrics metrics;
  Passwords passwords(system->system().entropy, system->system().threads, metrics, 1, 0, {});
  EXPECT_EQ(passwords.hash("x").error().code, Code::overloaded);
  EXPECT_TRUE(metrics.text().contains("holdfast_password_checks_refused_total 1"));
}

}  // namespace
}  // namespace holdfast::core
