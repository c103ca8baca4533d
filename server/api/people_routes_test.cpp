#include "server/api/people_routes.hpp"

#include "server/api/api_fixture_test.hpp"

namespace holdfast::api {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class PeopleRoutes : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(add_session_routes(operations, *people));
    ASSERT_TRUE(add_user_routes(operations, *people));
    ASSERT_TRUE(add_token_routes(operations, *people));
  }
  std::string text(const wire::Json& json, std::string_view member) {
    const auto* object = json.if_object();
    const auto* value = object ? object->if_contains(member) : nullptr;
    return value ? wire::json_text(*value) : "(absent)";
  }
  // Makes a user and answers its id.
  std::string user(std::string name, std::string roles = R"(["viewer"])") {
    const Answered made = admin(
        "POST", "/v1/users",
        R"({"name":")" + name + R"(","password":")" + kPassword + R"(","roles":)" + roles + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    return std::string(made.headers.get("Location").value_or("/v1/users/")).substr(10);
  }
  // Signs in and answers the cookie.
  std::string sign_in(std::string name, std::string password = kPassword) {
    const Answered answered = ask(
        {"POST", "/v1/session", R"({"name":")" + name + R"(","password":")" + password + R"("})"});
    if (answered.status != 201) return "";
    const std::string cookie(answered.headers.get("Set-Cookie").value_or(""));
    return cookie.substr(0, cookie.find(';'));
  }
};

// The disk fails at each moment of the call: the same call, repeated, finishes it truthfully.
TEST_F(PeopleRoutes, ARepeatedKeyIsOneUserAndOneTokenWhereverTheDiskFails) {
  const std::string who = R"(","password":")" + kPassword + R"(","roles":["viewer"]})";
  const std::string what = R"(","kind":"service","roles":["viewer"]})";
  os::sim::Disk& disk = t.world.node("server").disk();
  for (const auto& [path, rest] : {std::pair{"/v1/users", who}, {"/v1/tokens", what}}) {
    int failed = 0;
    int found_again = 0;
    for (int k = 1; k < 60; ++k) {
      const std::string name = "n" + std::to_string(k);
      const http::Headers key{{"Idempotency-Key", "key-" + name}};
      disk.fail_at(disk.operations() + static_cast<std::uint64_t>(k));
      const Answered first = admin("POST", path, R"({"name":")" + name + rest, key);
      disk.plan_no_faults();
      const Answered again = admin("POST", path, R"({"name":")" + name + rest, key);
      ASSERT_EQ(again.status, 201) << path << " " << k << " " << again.body;
      failed += first.status == 201 ? 0 : 1;
      if (first.status == 201) {
        EXPECT_EQ(again.body, first.body);
      } else if (again.headers.get("Idempotent-Replayed") == "true") {
        ++found_again;  // it was made, and its answer was lost
      }
      const Answered all = admin("GET", path);
      std::size_t times = 0;
      const std::string wanted = R"("name":")" + name + "\"";
      for (std::size_t at = 0; (at = all.body.find(wanted, at)) != std::string::npos; ++at) ++times;
      EXPECT_EQ(times, 1U) << path << " " << k;
      if (std::string_view(path) == "/v1/tokens") {
        const std::string secret = text(again.json(), "secret");
        const Answered use = ask({"GET", "/v1/session", "", secret.substr(1, secret.size() - 2)});
        EXPECT_EQ(use.status, 200) << "the secret that was made: " << k;
      }
    }
    EXPECT_GE(failed, 2) << path;
    EXPECT_GE(found_again, 1) << path;
  }
}

TEST_F(PeopleRoutes, SetUpWorksOnce) {
  EXPECT_EQ(ask({"GET", "/v1/setup"}).body, R"({"open":true})");
  const std::string secret = *people->make_setup_secret();
  const std::string body =
      R"({"secret":")" + secret + R"(","name":"root","password":")" + kPassword + R"("})";
  EXPECT_EQ(ask({"POST", "/v1/setup",
                 R"({"secret":"x","name":"root","password":")" + kPassword + R"("})"})
                .code(),
            "unauthenticated");
  const Answered done = ask({"POST", "/v1/setup", body});
  ASSERT_EQ(done.status, 201) << done.body;
  EXPECT_THAT(std::string(*done.headers.get("Set-Cookie")), StartsWith("__Host-holdfast="));
  EXPECT_THAT(done.body, HasSubstr("\"administrator\""));
  EXPECT_THAT(done.body, ::testing::Not(HasSubstr(kPassword)));
  EXPECT_EQ(ask({"GET", "/v1/setup"}).body, R"({"open":false})");
  EXPECT_EQ(ask({"POST", "/v1/setup", body}).code(), "setup-closed");
}

TEST_F(PeopleRoutes, SignInSignOut) {
  user("ann");
  EXPECT_EQ(sign_in("ann", "wrong password!"), "");
  EXPECT_EQ(sign_in("nobody"), "");
  const std::string cookie = sign_in("ANN");
  ASSERT_NE(cookie, "");
  const Answered me = ask({"GET", "/v1/session", "", "", {{"Cookie", cookie}}});
  ASSERT_EQ(me.status, 200) << me.body;
  EXPECT_THAT(me.body, HasSubstr(R"("kind":"user")"));
  EXPECT_THAT(me.body, HasSubstr(R"("name":"ann")"));
  EXPECT_THAT(me.body, HasSubstr(R"("device.read")"));
  EXPECT_THAT(me.body, ::testing::Not(HasSubstr(R"("device.write")")));
  EXPECT_NE(text(me.json(), "expires_at"), "null");
  EXPECT_EQ(ask({"DELETE", "/v1/session", "", "", {{"Cookie", cookie}}}).code(), "csrf");
  EXPECT_EQ(ask({"DELETE", "/v1/session", "", bootstrap}).code(), "invalid-argument");
  const Answered out =
      ask({"DELETE", "/v1/session", "", "", {{"Cookie", cookie}, {"X-Holdfast-CSRF", "1"}}});
  EXPECT_EQ(out.status, 204);
  EXPECT_THAT(std::string(*out.headers.get("Set-Cookie")), HasSubstr("Max-Age=0"));
  EXPECT_EQ(ask({"GET", "/v1/session", "", "", {{"Cookie", cookie}}}).status, 401);
}

TEST_F(PeopleRoutes, AStaleCookieKeepsNoOneFromSigningIn) {
  user("ann");
  const Answered answered = ask({"POST",
                                 "/v1/session",
                                 R"({"name":"ann","password":")" + kPassword + R"("})",
                                 "",
                                 {{"Cookie", "__Host-holdfast=" + std::string(43, 'a')}}});
  EXPECT_EQ(answered.status, 201);
}

TEST_F(PeopleRoutes, GuessingIsSlowedDown) {
  user("ann");
  for (int i = 0; i < 6; ++i) sign_in("ann", "wrong password!");
  const Answered refused =
      ask({"POST", "/v1/session", R"({"name":"ann","password":")" + kPassword + R"("})"});
  EXPECT_EQ(refused.code(), "rate-limited");
  EXPECT_EQ(refused.headers.get("Retry-After"), "5");
  for (int i = 0; i < 4; ++i) {  // each doubles the wait, and is told how long it is
    t.world.run_for(seconds(5 << i));
    sign_in("ann", "wrong password!");
  }
  const Answered later =
      ask({"POST", "/v1/session", R"({"name":"ann","password":")" + kPassword + R"("})"});
  EXPECT_GT(std::stoi(std::string(later.headers.get("Retry-After").value_or("0"))), 60);
  t.world.run_for(minutes(20));
  EXPECT_NE(sign_in("ann"), "");
}

TEST_F(PeopleRoutes, UsersComeChangeAndGo) {
  const std::string id = user("ann");
  const Answered shown = admin("GET", "/v1/users/" + id);
  EXPECT_EQ(shown.headers.get("ETag"), "\"1\"");
  EXPECT_EQ(text(shown.json(), "sites"), "null");
  EXPECT_EQ(text(shown.json(), "last_sign_in"), "null");
  EXPECT_THAT(shown.body, ::testing::Not(HasSubstr("password")));
  const std::string path = "/v1/users/" + id;
  EXPECT_EQ(admin("PATCH", path, R"({"disabled":true})").code(), "precondition-required");
  EXPECT_EQ(admin("PATCH", path, R"({"disabled":true})", {{"If-Match", "\"9\""}}).code(),
            "precondition-failed");
  EXPECT_EQ(admin("PATCH", path, R"({})", {{"If-Match", "\"1\""}}).code(), "invalid-argument");
  const Answered changed = admin(
      "PATCH", path, R"({"disabled":true,"roles":["operator","viewer"]})", {{"If-Match", "\"1\""}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.headers.get("ETag"), "\"2\"");
  EXPECT_EQ(text(changed.json(), "disabled"), "true");
  EXPECT_EQ(text(changed.json(), "roles"), R"(["viewer","operator"])");
  EXPECT_EQ(sign_in("ann"), "");
  EXPECT_EQ(admin("DELETE", path, "").code(), "precondition-required");
  EXPECT_EQ(admin("DELETE", path, "", {{"If-Match", "*"}}).status, 204);
  EXPECT_EQ(admin("GET", path).code(), "not-found");
  EXPECT_EQ(admin("PATCH", path, R"({"disabled":true})", {{"If-Match", "*"}}).code(), "not-found");
}

TEST_F(PeopleRoutes, WhatIsWrongIsPointedAt) {
  const auto pointer = [&](std::string body) {
    const Answered answered = admin("POST", "/v1/users", std::move(body));
    EXPECT_EQ(answered.status, 422) << answered.body;
    const wire::Json json = answered.json();
    const auto* object = json.if_object();
    const auto* errors = object ? object->if_contains("errors") : nullptr;
    return errors ? wire::json_text(errors->get_array()[0].get_object().at("pointer")) : "(absent)";
  };
  EXPECT_EQ(pointer(R"({"password":"x","roles":[]})"), R"("/name")");
  EXPECT_EQ(pointer(R"({"name":"a","password":"correct horse","roles":["king"]})"),
            R"("/roles/0")");
  EXPECT_EQ(pointer(R"({"name":"a","password":"correct horse","roles":["viewer","viewer"]})"),
            R"("/roles/1")");
  EXPECT_EQ(pointer(R"({"name":"a","password":"correct horse","roles":[],"sites":["x"]})"),
            R"("/sites/0")");
  EXPECT_EQ(pointer(R"({"name":"a","password":"short","roles":[]})"), R"("/password")");
  EXPECT_EQ(admin("POST", "/v1/users", R"({"nam":"a","password":"x","roles":[]})").code(),
            "unknown-field");
  EXPECT_EQ(admin("POST", "/v1/users", "[]").code(), "invalid-argument");
}

TEST_F(PeopleRoutes, ListsComeInPages) {
  for (int i = 0; i < 5; ++i) user("user" + std::to_string(i));
  std::string cursor;
  std::set<std::string> names;
  int pages = 0;
  do {
    const Answered page =
        admin("GET", "/v1/users?limit=2&q=USER" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(page.status, 200) << page.body;
    const wire::Json json = page.json();
    for (const auto& item : json.get_object().at("items").get_array())
      names.insert(text(item, "name"));
    const auto* next = json.get_object().at("next_cursor").if_string();
    cursor = next ? std::string(*next) : "";
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names.size(), 5U);
  EXPECT_EQ(admin("GET", "/v1/users?limit=0").code(), "invalid-argument");
  EXPECT_EQ(admin("GET", "/v1/users?limit=1001").code(), "invalid-argument");
  EXPECT_EQ(admin("GET", "/v1/users?cursor=x").code(), "invalid-argument");
}

TEST_F(PeopleRoutes, TokensShowTheirSecretOnce) {
  const Answered made =
      admin("POST", "/v1/tokens",
            R"({"kind":"service","name":"grafana","roles":["viewer"],"expires_at":null})");
  ASSERT_EQ(made.status, 201) << made.body;
  const wire::Json json = made.json();
  const std::string secret(json.get_object().at("secret").get_string());
  const auto& token = json.get_object().at("token").get_object();
  const std::string id(token.at("id").get_string());
  EXPECT_THAT(id, StartsWith("svc_"));
  EXPECT_TRUE(token.at("expires_at").is_null());
  EXPECT_EQ(made.headers.get("Location"), "/v1/tokens/" + id);
  EXPECT_THAT(ask({"GET", "/v1/session", "", secret}).body, HasSubstr(R"("kind":"service")"));
  EXPECT_THAT(admin("GET", "/v1/tokens/" + id).body, ::testing::Not(HasSubstr(secret)));
  EXPECT_THAT(admin("GET", "/v1/tokens?kind=service").body, HasSubstr(id));
  EXPECT_THAT(admin("GET", "/v1/tokens?kind=api").body, ::testing::Not(HasSubstr(id)));
  EXPECT_EQ(admin("GET", "/v1/tokens?kind=x").code(), "invalid-argument");
  const Answered renamed =
      admin("PATCH", "/v1/tokens/" + id, R"({"name":"prometheus"})", {{"If-Match", "\"1\""}});
  EXPECT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_THAT(renamed.body, HasSubstr("prometheus"));
  EXPECT_EQ(admin("DELETE", "/v1/tokens/" + id).status, 204);
  EXPECT_EQ(admin("DELETE", "/v1/tokens/" + id).status, 204) << "revoking twice succeeds";
  EXPECT_EQ(ask({"GET", "/v1/session", "", secret}).status, 401);
  EXPECT_EQ(admin("GET", "/v1/tokens/tok_x").code(), "not-found");
}

TEST_F(PeopleRoutes, ATokenThatExpiresEnds) {
  const Answered made = admin(
      "POST", "/v1/tokens",
      R"({"kind":"service","name":"x","roles":["viewer"],"expires_at":"2026-01-01T01:00:00Z"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string secret(made.json().get_object().at("secret").get_string());
  const Answered me = ask({"GET", "/v1/session", "", secret});
  EXPECT_EQ(text(me.json(), "expires_at"), R"("2026-01-01T01:00:00Z")");
  t.world.run_for(hours(2));
  EXPECT_EQ(ask({"GET", "/v1/session", "", secret}).status, 401);
  EXPECT_EQ(admin("POST", "/v1/tokens",
                  R"({"kind":"service","name":"x","roles":[],"expires_at":"tomorrow"})")
                .status,
            422);
}

}  // namespace
}  // namespace holdfast::api
