#include "server/identity/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/core/testing/asker.hpp"
#include "server/identity/fixture_test.hpp"

namespace holdfast::identity {
namespace {

using core::Asking;
using wire::JsonObject;

class ClaimRoutes : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(f.open());
    ASSERT_TRUE(add_routes(operations, *f.registrar, *f.workers));
  }
  core::Answer ask(std::string_view operation, const Asking& asking = {},
                   const core::Caller& caller = core::test_caller()) {
    return core::Asker(operations, f.t.node.system().clock)(operation, asking, caller);
  }
  std::string made(JsonObject body = {}) { return ask("create_claim", {.body = body}).text("/id"); }
  static Asking of(const std::string& id) { return {.path = {{"claim_id", id}}}; }
  SiteId site(const std::string& name) {
    SiteId id;
    EXPECT_TRUE(f.t.store().record(
        core::Caller::system(), "test.site", [&](core::Change& change) -> Status {
          id = change.new_id<SiteId>();
          TRY(change.tx().exec(
              "INSERT INTO site (id,name,description,revision,created_at,updated_at) VALUES "
              "(?,?,'',1,0,0)",
              {id, name}));
          return {};
        }));
    return id;
  }
  Fixture f;
  core::Operations operations;
};

TEST_F(ClaimRoutes, TheSecretIsShownOnce) {
  const auto answer = ask(
      "create_claim", {.body = JsonObject{{"name", "pump"}, {"tags", JsonObject{{"line", "3"}}}}});
  ASSERT_EQ(answer.status, 201) << answer.error->text();
  EXPECT_EQ(answer.headers.get("Cache-Control"), "no-store");
  const std::string secret = answer.text("/claim");
  const auto shown = ask("get_claim", of(answer.text("/id")));
  ASSERT_EQ(shown.status, 200);
  EXPECT_EQ(wire::json_text(shown.body).find(secret), std::string::npos);
  EXPECT_EQ(shown.text("/state"), "open");
  EXPECT_EQ(shown.text("/tags/line"), "3");
  EXPECT_EQ(shown.at("/progress").as_array().size(), kSteps.size());
  EXPECT_FALSE(shown.at("/progress/0/at").is_null()) << "the code was shown";
  EXPECT_TRUE(shown.at("/progress/1/at").is_null());
}

TEST_F(ClaimRoutes, WrongMembersAreNamed) {
  const auto refused = [&](JsonObject body, std::string_view pointer) {
    const auto answer = ask("create_claim", {.body = body});
    EXPECT_EQ(answer.code(), Code::invalid_argument) << wire::json_text(body);
    EXPECT_EQ(answer.pointer(), pointer) << wire::json_text(body);
  };
  refused({{"expires_in_s", "soon"}}, "/expires_in_s");
  refused({{"device_serial", std::string(129, 'x')}}, "/device_serial");
  refused({{"type_id", "x"}}, "/type_id");
  refused({{"site_id", SiteId{}.text()}}, "/site_id");
  refused({{"type_id", TypeId{}.text()}}, "/type_id");
  refused({{"tags", JsonObject{{"a", 1}}}}, "/tags/a");
  refused({{"tags", JsonObject{{"a b", "1"}}}}, "/tags/a b");
  for (const std::int64_t life : {std::int64_t{0}, std::int64_t{-5}, std::int64_t{4'000'000'000}}) {
    EXPECT_EQ(ask("create_claim", {.body = JsonObject{{"expires_in_s", life}}}).code(),
              Code::invalid_argument)
        << life;
  }
  EXPECT_EQ(ask("create_claim", {.body = JsonObject{{"colour", "red"}}}).code(),
            Code::unknown_field);
  EXPECT_EQ(core::count_rows(f.t.store(), "claim"), 0);
}

TEST_F(ClaimRoutes, TheListPagesAndFilters) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 5; ++i) {
    newest_first.insert(newest_first.begin(), made());
    f.t.world.run_for(seconds(1));
  }
  ASSERT_EQ(ask("revoke_claim", of(newest_first[2])).status, 204);
  std::vector<std::string> got;
  std::string cursor;
  do {
    Asking asking{.query = {{"limit", "2"}}};
    if (!cursor.empty()) asking.query.emplace_back("cursor", cursor);
    const auto page = ask("list_claims", asking);
    ASSERT_EQ(page.status, 200) << page.error->text();
    for (const auto& item : page.at("/items").as_array())
      got.emplace_back(item.at("id").as_string());
    cursor = page.at("/next_cursor").is_null() ? "" : page.text("/next_cursor");
  } while (!cursor.empty() && got.size() < 10);
  EXPECT_EQ(got, newest_first);
  const auto revoked = ask("list_claims", {.query = {{"state", "revoked"}}});
  ASSERT_EQ(revoked.at("/items").as_array().size(), 1U);
  EXPECT_EQ(revoked.text("/items/0/id"), newest_first[2]);
  EXPECT_EQ(ask("list_claims", {.query = {{"state", "open"}}}).at("/items").as_array().size(), 4U);
  f.t.world.jump_wall(days(40));
  EXPECT_EQ(ask("list_claims", {.query = {{"state", "open"}}}).at("/items").as_array().size(), 0U);
  EXPECT_EQ(ask("list_claims", {.query = {{"state", "expired"}}}).at("/items").as_array().size(),
            4U);
  EXPECT_EQ(ask("list_claims", {.query = {{"state", "lost"}}}).pointer(), "?state");
}

TEST_F(ClaimRoutes, ASpentClaimIsNotRevoked) {
  const auto answer = ask("create_claim", {.body = JsonObject{}});
  ASSERT_TRUE(f.enrol(answer.text("/claim"), new_csr().csr));
  EXPECT_EQ(ask("revoke_claim", of(answer.text("/id"))).code(), Code::claim_spent);
  EXPECT_EQ(ask("get_claim", of(answer.text("/id"))).text("/state"), "spent");
  EXPECT_EQ(ask("get_claim", of(ClaimId{}.text())).code(), Code::not_found);
  EXPECT_EQ(ask("revoke_claim", of("nonsense")).code(), Code::not_found);
}

TEST_F(ClaimRoutes, PeopleSeeAndMakeThemAtTheirSitesOnly) {
  const SiteId mine = site("mine");
  const auto technician = core::test_caller({core::Role::technician}, std::vector{mine});
  const auto viewer = core::test_caller({core::Role::viewer}, std::vector{mine});
  const std::string elsewhere = made();
  EXPECT_EQ(ask("create_claim", {.body = JsonObject{}}, technician).code(), Code::forbidden)
      << "without a site";
  EXPECT_EQ(ask("create_claim", {.body = JsonObject{{"site_id", site("other").text()}}}, technician)
                .code(),
            Code::forbidden);
  const auto own = ask("create_claim", {.body = JsonObject{{"site_id", mine.text()}}}, technician);
  ASSERT_EQ(own.status, 201) << own.error->text();
  const auto listed = ask("list_claims", {}, technician);
  ASSERT_EQ(listed.at("/items").as_array().size(), 1U);
  for (const std::string& id : {elsewhere, ClaimId{}.text()}) {
    EXPECT_EQ(ask("get_claim", of(id), technician).code(), Code::forbidden);
    EXPECT_EQ(ask("revoke_claim", of(id), technician).code(), Code::forbidden);
  }
  EXPECT_EQ(ask("list_claims", {}, viewer).code(), Code::forbidden);
  EXPECT_EQ(ask("revoke_claim", of(own.text("/id")), technician).status, 204);
}

// ---- the page that follows a claim

class Page final : public http::EventStream {
 public:
  Status send(const http::Event& event) override {
    if (over) return fail(Code::closed, "gone");
    events.push_back(event);
    return {};
  }
  void close() override {
    over = true;
    if (task_) std::exchange(task_, nullptr)();
  }
  bool closed() const override { return over; }
  void on_closed(os::Task task) override { task_ = std::move(task); }
  std::vector<http::Event> events;
  bool over = false;

 private:
  os::Task task_;
};
class PageAnswer final : public http::Answer {
 public:
  PageAnswer(std::shared_ptr<Page> page, std::shared_ptr<int> status)
      : page_(std::move(page)), status_(std::move(status)) {}
  void respond(http::Response response) override { *status_ = response.status; }
  std::shared_ptr<http::EventStream> open_events(http::Headers) override { return page_; }
  void on_gone(os::Task) override {}

 private:
  std::shared_ptr<Page> page_;
  std::shared_ptr<int> status_;
};

class ClaimPage : public ClaimRoutes {
 protected:
  void open(const std::string& id, const core::Caller& caller = core::test_caller()) {
    http::Request request;
    request.params = {{"claim_id", id}};
    const wire::Json none;
    const core::Call call{caller, request, none, f.t.node.system().clock.wall()};
    operations.find("stream_claim_progress")
        ->stream(call,
                 http::Responder(std::make_unique<PageAnswer>(page, status), "/", "req_TEST"));
    settle();
  }
  void settle() { f.t.world.run_for(milliseconds(10)); }
  JsonObject last() { return wire::parse_json(page->events.back().data).value().as_object(); }
  std::shared_ptr<Page> page = std::make_shared<Page>();
  std::shared_ptr<int> status = std::make_shared<int>(0);
};

TEST_F(ClaimPage, TellsEachStepUntilTheFirstReading) {
  const auto claim = ask("create_claim", {.body = JsonObject{}});
  open(claim.text("/id"));
  ASSERT_EQ(page->events.size(), 1U) << "how it stands, at once";
  EXPECT_EQ(page->events[0].name, "claim");
  ASSERT_TRUE(f.enrol(claim.text("/claim"), new_csr().csr));
  settle();
  EXPECT_EQ(last().at("state"), wire::Json("spent"));
  const DeviceId id = DeviceId::parse(std::string(last().at("device_id").as_string())).value();
  f.registry->connected(id, "mqtt-5.0", "192.0.2.7:5", f.t.node.system().clock.wall());
  settle();
  EXPECT_FALSE(page->over);
  ASSERT_TRUE(f.t.store().record(
      core::Caller::device(id), "device.first_reading", [&](core::Change& change) {
        return change.notice("device.first_reading",
                             wire::json_text(JsonObject{
                                 {"device_id", id.text()}, {"metric", "lab.temp"}, {"at", 1}}));
      }));
  settle();
  EXPECT_TRUE(page->over) << "it came online: the page has nothing more to tell";
  const auto steps = last().at("progress").as_array();
  for (const auto& step : steps)
    EXPECT_FALSE(step.at("at").is_null()) << step.at("step").as_string();
}

TEST_F(ClaimPage, TellsWhyADeviceDidNotGetIn) {
  const auto claim = ask("create_claim", {.body = JsonObject{{"device_serial", "E3-1"}}});
  open(claim.text("/id"));
  EXPECT_FALSE(f.enrol(claim.text("/claim"), new_csr("x", "E3-2").csr));
  settle();
  ASSERT_GE(page->events.size(), 2U);
  EXPECT_EQ(wire::Json(last()).at_pointer("/progress/1/error/code"), wire::Json("claim-bound"));
  EXPECT_FALSE(page->over);
}

TEST_F(ClaimPage, EndsWithTheClaim) {
  const std::string id = made();
  open(id);
  ASSERT_EQ(ask("revoke_claim", of(id)).status, 204);
  settle();
  EXPECT_TRUE(page->over);
  EXPECT_EQ(last().at("state"), wire::Json("revoked"));
}

TEST_F(ClaimPage, WhoMayNotIsRefusedInsteadOfFollowed) {
  open(made(), core::test_caller({core::Role::viewer}));
  EXPECT_EQ(*status, 403);
  open(ClaimId{}.text());
  EXPECT_EQ(*status, 404);
  EXPECT_TRUE(page->events.empty());
}

TEST_F(ClaimPage, PagesThatWentAwayMakeRoom) {
  const std::string id = made();
  for (std::size_t i = 0; i < kWatchersMax + 20; ++i) {
    page = std::make_shared<Page>();
    open(id);
    ASSERT_FALSE(page->over) << i;
    page->close();
  }
}

}  // namespace
}  // namespace holdfast::identity
