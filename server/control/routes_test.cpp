#include "server/control/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/control/fixture_test.hpp"

namespace holdfast::control {
namespace {

using core::Asking;
using wire::JsonObject;

Asking at(DeviceId id, wire::Json body = {}, std::string if_match = {}) {
  return {{{"device_id", id.text()}}, {}, std::move(body), std::move(if_match)};
}
Asking of(CommandId id) {
  return {.path = {{"command_id", id.text()}}};
}

TEST(TwinRoutes, AChangeWantsTheVersion) {
  Plant p;
  const auto first = p.ask("get_twin", at(p.pump));
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(first.etag(), "\"0\"");
  EXPECT_TRUE(first.at("/desired_at").is_null());
  const JsonObject body{{"rate", 5}};
  EXPECT_EQ(p.ask("replace_desired", at(p.pump, body)).code(), Code::precondition_required);
  EXPECT_EQ(p.ask("replace_desired", at(p.pump, body, "\"1\"")).code(), Code::precondition_failed);
  const auto set = p.ask("replace_desired", at(p.pump, body, "\"0\""));
  ASSERT_EQ(set.status, 200) << set.error->text();
  EXPECT_EQ(set.etag(), "\"1\"");
  const auto merged = p.ask("update_desired", at(p.pump, JsonObject{{"x", 1}}, "*"));
  EXPECT_EQ(wire::json_text(merged.at("/desired")), R"({"rate":5,"x":1})");
  EXPECT_EQ(p.ask("get_twin", at(DeviceId{})).code(), Code::not_found);
}

TEST(TwinRoutes, TheDifferenceIsTold) {
  Plant p;
  ASSERT_EQ(p.ask("replace_desired",
                  at(p.pump, JsonObject{{"rate", 5}, {"m", JsonObject{{"a/b", 1}}}}, "*"))
                .status,
            200);
  ASSERT_TRUE(p.controller->twin_reported(p.pump, view_of(R"({"rate":4,"m":{},"own":1})")));
  const auto diff = p.ask("diff_twin", at(p.pump));
  EXPECT_EQ(diff.at("/in_sync"), wire::Json(false));
  ASSERT_EQ(diff.at("/changes").as_array().size(), 2U);
  EXPECT_EQ(diff.text("/changes/0/pointer"), "/rate");
  EXPECT_EQ(diff.at("/changes/0/reported"), wire::Json(4));
  EXPECT_EQ(diff.text("/changes/1/pointer"), "/m/a~1b");
  EXPECT_FALSE(diff.at("/changes/1").as_object().contains("reported")) << "it reports none";
  ASSERT_TRUE(p.controller->twin_reported(p.pump, view_of(R"({"rate":5,"m":{"a/b":1}})")));
  EXPECT_EQ(p.ask("diff_twin", at(p.pump)).at("/in_sync"), wire::Json(true));
}

TEST(CommandRoutes, AnOrderIsCheckedByName) {
  Plant p;
  const auto made =
      p.ask("run_command",
            at(p.pump, JsonObject{{"name", "reboot"}, {"payload", 7}, {"deadline_s", 60}}));
  ASSERT_EQ(made.status, 201) << made.error->text();
  EXPECT_EQ(made.text("/state"), "queued");
  EXPECT_EQ(made.at("/payload"), wire::Json(7));
  const auto refused = [&](JsonObject body, std::string_view pointer) {
    const auto answer = p.ask("run_command", at(p.pump, body));
    EXPECT_EQ(answer.code(), Code::invalid_argument) << wire::json_text(body);
    EXPECT_EQ(answer.pointer(), pointer) << wire::json_text(body);
  };
  refused({}, "/name");
  refused({{"name", "a b"}}, "/name");
  refused({{"name", "x"}, {"deadline_s", 0}}, "/deadline_s");
  refused({{"name", "x"}, {"deadline_s", 604'801}}, "/deadline_s");
  refused({{"name", "x"}, {"deadline_s", "soon"}}, "/deadline_s");
  EXPECT_EQ(p.ask("run_command", at(p.pump, JsonObject{{"name", "x"}, {"to", 1}})).code(),
            Code::unknown_field);
  Asking waits = at(p.pump, JsonObject{{"name", "x"}});
  for (const char* wait : {"61", "-1", "1s", ""}) {
    waits.query = {{"wait_s", wait}};
    EXPECT_EQ(p.ask("run_command", waits).pointer(), "?wait_s") << wait;
  }
  EXPECT_EQ(core::count_rows(p.t.store(), "command"), 1) << "refused before anything is done";
}

TEST(CommandRoutes, OneIsShownAndCancelled) {
  Plant p;
  const CommandId id = p.run("reboot");
  EXPECT_EQ(p.ask("get_command", of(id)).text("/id"), id.text());
  EXPECT_EQ(p.ask("get_command", of(CommandId{})).code(), Code::not_found);
  EXPECT_EQ(p.ask("get_command", {.path = {{"command_id", "x"}}}).code(), Code::not_found);
  EXPECT_EQ(p.ask("cancel_command", of(id)).text("/state"), "cancelled");
  EXPECT_EQ(p.ask("cancel_command", of(id)).code(), Code::conflict);
}

TEST(CommandRoutes, TheListFiltersAndPages) {
  Plant p;
  const DeviceId other = p.device("other");
  std::vector<std::string> newest_first;
  for (int i = 0; i < 5; ++i) {
    newest_first.insert(newest_first.begin(), p.run("c").text());
    p.settle(seconds(1));
  }
  ASSERT_TRUE(p.controller->run(core::test_caller(), other, {"o", {}, seconds(60)}));
  ASSERT_TRUE(p.controller->cancel(core::test_caller(), CommandId::parse(newest_first[1]).value()));
  std::vector<std::string> got;
  std::string cursor;
  do {
    Asking asking{.query = {{"device_id", p.pump.text()}, {"limit", "2"}}};
    if (!cursor.empty()) asking.query.emplace_back("cursor", cursor);
    const auto page = p.ask("list_commands", asking);
    ASSERT_EQ(page.status, 200) << page.error->text();
    for (const auto& item : page.at("/items").as_array())
      got.emplace_back(item.at("id").as_string());
    cursor = page.at("/next_cursor").is_null() ? "" : page.text("/next_cursor");
  } while (!cursor.empty() && got.size() < 10);
  EXPECT_EQ(got, newest_first);
  const auto count = [&](http::Params query) {
    const auto page = p.ask("list_commands", {.query = std::move(query)});
    EXPECT_EQ(page.status, 200);
    return page.at("/items").as_array().size();
  };
  EXPECT_EQ(count({}), 6U);
  EXPECT_EQ(count({{"state", "cancelled"}}), 1U);
  EXPECT_EQ(count({{"state", "cancelled"}, {"state", "queued"}}), 6U);
  EXPECT_EQ(count({{"since", "3500ms"}}), 4U);
  EXPECT_EQ(p.ask("list_commands", {.query = {{"state", "lost"}}}).pointer(), "?state");
  EXPECT_EQ(p.ask("list_commands", {.query = {{"device_id", "x"}}}).code(), Code::invalid_argument);
  EXPECT_EQ(p.ask("list_commands", {.query = {{"device_id", DeviceId{}.text()}}}).code(),
            Code::not_found);
}

// ---- waiting for the end

class HeldAnswer final : public http::Answer {
 public:
  explicit HeldAnswer(std::shared_ptr<std::optional<http::Response>> place)
      : place_(std::move(place)) {}
  void respond(http::Response response) override { *place_ = std::move(response); }
  std::shared_ptr<http::EventStream> open_events(http::Headers) override { return nullptr; }
  void on_gone(os::Task) override {}

 private:
  std::shared_ptr<std::optional<http::Response>> place_;
};

class WaitTest : public ::testing::Test {
 protected:
  // As the dispatcher of the API does it: the handler, then what may follow.
  bool follow(const http::Response& first, std::string wait_s) {
    http::Request request;
    request.query = {{"wait_s", std::move(wait_s)}};
    const core::Caller caller = core::test_caller();
    const wire::Json none;
    const core::Call call{caller, request, none, p.now()};
    http::Responder responder(std::make_unique<HeldAnswer>(place), "/", "req_TEST");
    const auto* entry = p.operations->find("run_command");
    const bool taken = entry->follow(call, first, responder);
    if (!taken) responder.send(http::json(200, "{}"));
    return taken;
  }
  http::Response order() {
    id = p.run("reboot");
    return http::json(201, R"({"id":")" + id.text() + R"("})");
  }
  std::string state() {
    const auto body = wire::parse_json(text_of((*place)->body));
    return std::string(body->at("state").as_string());
  }
  Plant p;
  CommandId id;
  std::shared_ptr<std::optional<http::Response>> place =
      std::make_shared<std::optional<http::Response>>();
};

TEST_F(WaitTest, TheAnswerComesWithTheEnd) {
  ASSERT_TRUE(follow(order(), "60"));
  p.settle(seconds(5));
  EXPECT_FALSE(*place);
  ASSERT_TRUE(p.reply(id));
  p.settle();
  ASSERT_TRUE(*place);
  EXPECT_EQ((*place)->status, 201);
  EXPECT_EQ(state(), "succeeded");
  p.settle(seconds(120));
}

TEST_F(WaitTest, OrWithTheTimeThatIsOver) {
  ASSERT_TRUE(follow(order(), "10"));
  p.settle(seconds(9));
  EXPECT_FALSE(*place);
  p.settle(seconds(2));
  ASSERT_TRUE(*place);
  EXPECT_EQ(state(), "queued");
  place->reset();
  ASSERT_TRUE(p.reply(id));
  p.settle();
  EXPECT_FALSE(*place) << "answered once";
}

TEST_F(WaitTest, NobodyWaitsForNothing) {
  EXPECT_FALSE(follow(order(), "0"));
  EXPECT_FALSE(follow(http::json(201, "{}"), "5"));
  EXPECT_FALSE(follow(http::json(201, "?"), "5"));
  EXPECT_FALSE(follow(http::json(201, R"({"id":"x"})"), "5"));
}

TEST_F(WaitTest, WhoCannotWaitIsAnsweredAtOnce) {
  const auto first = order();
  for (std::size_t i = 0; i < kWaitersMax; ++i) {
    ASSERT_TRUE(p.controller->when_ended(id, [] {}));
  }
  ASSERT_TRUE(follow(first, "60"));
  p.settle();
  ASSERT_TRUE(*place);
  EXPECT_EQ(state(), "queued");
}

}  // namespace
}  // namespace holdfast::control
