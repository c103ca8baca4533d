#include "server/api/dispatch.hpp"

#include <set>

#include "server/api/api_fixture_test.hpp"

namespace holdfast::api {
namespace {

using ::testing::HasSubstr;

// A path of this operation: ids of the right form that exist nowhere.
std::string path_of(const OperationRow& row) {
  std::string out(row.path);
  const std::vector<std::pair<std::string, std::string>> values = {
      {"{device_id}", "dev_01JD3V9QK2M4N6P8R0S2T4V6W8"},
      {"{site_id}", "site_01JD3V9QK2M4N6P8R0S2T4V6W8"},
      {"{tag}", "room"},
      {"{seq}", "0"},
      {"{code}", "not-found"},
      {"{platform}", "linux-x86_64"}};
  for (const auto& [name, value] : values) {
    if (const auto at = out.find(name); at != std::string::npos)
      out.replace(at, name.size(), value);
  }
  while (out.contains('{')) out.replace(out.find('{'), out.find('}') - out.find('{') + 1, "x_1");
  return out;
}

// Every operation of the contract, answering 200 if it is reached.
class EveryOperation : public ApiTest {
 protected:
  void SetUp() override {
    for (const OperationRow& row : kOperationTable) {
      ASSERT_TRUE(operations.add(row.id, [](const core::Call&) -> Result<http::Response> {
        return http::json(200, "{}");
      }));
    }
    ASSERT_TRUE(operations.missing().empty());
  }
};

TEST_F(EveryOperation, IsRefusedToNobody) {
  for (const OperationRow& row : kOperationTable) {
    const Answered answered = ask({std::string(row.method), path_of(row)});
    if (row.permission.empty()) {
      EXPECT_EQ(answered.status, 200) << row.id;
      continue;
    }
    EXPECT_EQ(answered.status, 401) << row.id;
    EXPECT_EQ(answered.code(), "unauthenticated") << row.id;
    EXPECT_TRUE(answered.headers.has("WWW-Authenticate")) << row.id;
  }
}

TEST_F(EveryOperation, IsOpenToTheRolesThatTheContractNames) {
  const core::Role roles[] = {core::Role::viewer, core::Role::technician, core::Role::operator_,
                              core::Role::auditor, core::Role::administrator};
  std::size_t refused = 0;
  for (const core::Role role : roles) {
    const std::string everywhere = token({role});
    const std::string nowhere = token({role}, std::vector<SiteId>{});
    for (const OperationRow& row : kOperationTable) {
      if (row.permission.empty()) continue;
      for (const std::string& secret : {everywhere, nowhere}) {
        const auto caller = people->authenticate_bearer(secret, "", "");
        ASSERT_TRUE(caller);
        const bool may = core::require(*caller, row.permission).has_value();
        const Answered answered = ask({std::string(row.method), path_of(row), "", secret});
        EXPECT_EQ(answered.status, may ? 200 : 403) << row.id << " as " << core::name_of(role);
        if (may) continue;
        ++refused;
        EXPECT_EQ(http::problem_of({answered.status, answered.headers, bytes_of(answered.body)})
                      ->permission,
                  row.permission);
      }
    }
  }
  EXPECT_GT(refused, 50U);
  EXPECT_EQ(t.metrics.counter("holdfast_api_forbidden_total", "").value(), refused);
}

TEST_F(EveryOperation, IsRefusedForItsCredentialsBeforeItsBody) {
  // Neither the body nor the missing If-Match is looked at for someone who may not call at all.
  const std::string viewer = token({core::Role::viewer});
  EXPECT_EQ(ask({"POST", "/v1/users", "{", "", {}}).status, 401);
  EXPECT_EQ(ask({"POST", "/v1/users", "{", viewer, {}}).status, 403);
  EXPECT_EQ(ask({"PATCH", "/v1/users/usr_x", "{", viewer, {{"Content-Type", "text/plain"}}}).status,
            403);
  EXPECT_EQ(admin("POST", "/v1/users", "{").code(), "malformed-body");
  EXPECT_EQ(admin("POST", "/v1/users", "{}", {{"Content-Type", "text/plain"}}).code(),
            "unsupported-media-type");
  EXPECT_EQ(
      admin("POST", "/v1/users", "{}", {{"Content-Type", "application/merge-patch+json"}}).status,
      415);
  EXPECT_EQ(
      admin("PATCH", "/v1/users/usr_x", "{}", {{"Content-Type", "application/merge-patch+json"}})
          .status,
      200);
}

TEST_F(EveryOperation, WrongTokensAreNobody) {
  for (const std::string& secret :
       {std::string("hft_") + std::string(43, 'a'), std::string("x"), bootstrap + "x"}) {
    EXPECT_EQ(ask({"GET", "/v1/devices", "", secret}).status, 401) << secret;
  }
  EXPECT_EQ(ask({"GET", "/v1/devices", "", "", {{"Authorization", "Basic YTpi"}}}).status, 401);
  EXPECT_EQ(
      ask({"GET", "/v1/devices", "", "", {{"Cookie", "__Host-holdfast=" + std::string(43, 'a')}}})
          .status,
      401);
}

TEST_F(EveryOperation, RoutesHaveTheBodyLimitOfTheirMethod) {
  begin();
  http::Request head;
  head.method = "POST";
  head.segments = {"v1", "users"};
  EXPECT_EQ(dispatch->admit(head), kBodyMax);
  head.method = "GET";
  EXPECT_EQ(dispatch->admit(head), 0U);
  head.method = "POST";
  head.segments = {"v1", "audit", "verify"};
  EXPECT_EQ(dispatch->admit(head), kVerifyBodyMax);
  head.segments = {"nowhere"};
  EXPECT_EQ(dispatch->admit(head), 0U);
}

class DispatchTest : public ApiTest {
 protected:
  void add(std::string_view id, core::Handler handler) {
    ASSERT_TRUE(operations.add(id, std::move(handler)));
  }
};

TEST_F(DispatchTest, WhatIsNoOperationIs404OrTheConsoles) {
  fallback = [](const http::Request& request) -> std::optional<http::Response> {
    if (request.path != "/devices") return std::nullopt;
    return http::content(200, "text/html", "page");
  };
  EXPECT_EQ(ask({"GET", "/devices"}).body, "page");
  EXPECT_EQ(ask({"GET", "/v1/nothing"}).code(), "not-found");
  const Answered wrong = ask({"POST", "/healthz"});
  EXPECT_EQ(wrong.code(), "method-not-allowed");
  EXPECT_EQ(wrong.headers.get("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask({"OPTIONS", "/v1/users"}).status, 204);
}

TEST_F(DispatchTest, AnOperationWithoutAHandlerSaysSo) {
  EXPECT_EQ(admin("GET", "/v1/devices").code(), "unsupported");
  EXPECT_EQ(ask({"GET", "/v1/devices"}).status, 401) << "but only to those who may call it";
}

TEST_F(DispatchTest, HandlersGetTheCallAndErrorsBecomeProblems) {
  add("update_device", [](const core::Call& call) -> Result<http::Response> {
    EXPECT_EQ(call.path("device_id"), "dev_1");
    EXPECT_EQ(call.query("x"), "y");
    EXPECT_EQ(call.caller.kind, core::Caller::Kind::bootstrap);
    EXPECT_EQ(call.caller.address, "192.0.2.7");
    EXPECT_EQ(call.caller.request_id, call.request.request_id);
    EXPECT_EQ(wire::json_text(call.body), "{\"name\":\"a\"}");
    return std::unexpected(Error{Code::invalid_argument, "too short", {}, {}, "/name"});
  });
  const Answered answered = admin("PATCH", "/v1/devices/dev_1?x=y", "{\"name\":\"a\"}");
  EXPECT_EQ(answered.status, 422);
  EXPECT_THAT(answered.body, HasSubstr("\"pointer\":\"/name\""));
  EXPECT_THAT(answered.body, HasSubstr("\"instance\":\"/v1/devices/dev_1\""));
  EXPECT_EQ(answered.headers.get("Cache-Control"), "no-store");
  EXPECT_THAT(t.log_lines, HasSubstr("update_device"));
}

TEST_F(DispatchTest, WhatFailsInsideIsLoggedAndNotTold) {
  add("get_config", [](const core::Call&) -> Result<http::Response> {
    return fail(Code::io_error, "cannot read /data/secret");
  });
  const Answered answered = admin("GET", "/v1/config");
  EXPECT_GE(answered.status, 500);
  EXPECT_THAT(answered.body, ::testing::Not(HasSubstr("secret")));
  EXPECT_THAT(t.log_lines, HasSubstr("/data/secret"));
  EXPECT_THAT(t.log_lines, HasSubstr("req_1"));
}

TEST_F(DispatchTest, FullWorkersAreAnOverload) {
  workers = t.system().threads.start_workers("small", 1, 2);
  add("get_health",
      [](const core::Call&) -> Result<http::Response> { return http::json(200, "{}"); });
  std::vector<std::shared_ptr<TestAnswer::Place>> places;
  for (int i = 0; i < 5; ++i) places.push_back(start({"GET", "/healthz"}));
  t.world.run_for(seconds(1));
  int fine = 0;
  for (const auto& place : places) {
    ASSERT_TRUE(place->answered);
    if (place->answered->status == 200) {
      ++fine;
      continue;
    }
    EXPECT_EQ(place->answered->code(), "overloaded");
    EXPECT_EQ(place->answered->headers.get("Retry-After"), "1");
  }
  EXPECT_EQ(fine, 2);
}

TEST_F(DispatchTest, StreamsGetTheResponder) {
  ASSERT_TRUE(
      operations.add_stream("tail_events", [](const core::Call& call, http::Responder responder) {
        EXPECT_EQ(call.query("q"), "a b");
        (void)responder.events()->send({"1", "event", "{}"});
      }));
  const auto place = start({"GET", "/v1/events/tail?q=a+b", "", bootstrap});
  t.world.run_for(seconds(1));
  ASSERT_TRUE(place->stream);
  EXPECT_EQ(place->stream->events.size(), 1U);
  EXPECT_EQ(ask({"GET", "/v1/events/tail"}).status, 401);
}

// A stream is judged for as long as it lasts.
class WatchedStreams : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(operations.add_stream("stream_changes",
                                      [this](const core::Call&, http::Responder responder) {
                                        kept.push_back(responder.events());
                                      }));
  }
  std::shared_ptr<TestStream> open(const std::string& secret, http::Headers headers = {}) {
    const auto place = start({"GET", "/v1/stream", "", secret, std::move(headers)});
    t.world.run_until([&] { return place->stream != nullptr; }, seconds(5));
    return place->stream;
  }
  void check() {
    dispatch->check_streams();
    t.world.run_for(seconds(1));
  }
  core::Caller admin_caller() { return *people->authenticate_bearer(bootstrap, "", "req_t"); }
  std::vector<std::shared_ptr<http::EventStream>> kept;
};

TEST_F(WatchedStreams, EndWhenTheTokenIsRevoked) {
  const std::string first = token({core::Role::viewer}), second = token({core::Role::viewer});
  const auto gone = open(first), stays = open(second);
  ASSERT_TRUE(gone && stays);
  check();
  EXPECT_FALSE(gone->closed());
  const auto caller = people->authenticate_bearer(first, "", "req_t");
  ASSERT_TRUE(people->revoke_token(admin_caller(), caller->id));
  check();
  EXPECT_TRUE(gone->closed());
  EXPECT_FALSE(stays->closed());
  EXPECT_EQ(t.metrics.counter("holdfast_api_streams_ended_total", "").value(), 1U);
}

TEST_F(WatchedStreams, EndWithTheSessionAndKeepNoneAlive) {
  ASSERT_TRUE(people->create_user(admin_caller(),
                                  {"ada", kPassword, core::Roles{core::Role::viewer}, {}, false}));
  const auto signed_in = people->sign_in("ada", kPassword, "192.0.2.7", "req_s");
  ASSERT_TRUE(signed_in) << signed_in.error().text();
  const auto stream = open("", {{"Cookie", "__Host-holdfast=" + signed_in->cookie}});
  ASSERT_TRUE(stream);
  for (int hour = 0; hour < 30 * 24 && !stream->closed(); ++hour) {
    t.world.run_for(hours(1));
    check();
  }
  EXPECT_TRUE(stream->closed()) << "an open page alone keeps a session alive";
}

TEST_F(WatchedStreams, AreForgottenWithTheirClients) {
  const auto stream = open(bootstrap);
  ASSERT_TRUE(stream);
  stream->close();
  check();
  EXPECT_EQ(t.metrics.counter("holdfast_api_streams_ended_total", "").value(), 0U);
  dispatch->end_checks();
  check();
}

// ---- Idempotency-Key

class IdempotentTest : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        operations.add("create_site", [this](const core::Call& call) -> Result<http::Response> {
          ++made;
          if (call.body.is_null()) return fail(Code::invalid_argument, "empty");
          auto response = http::json(201, "{\"made\":" + std::to_string(made) + "}");
          response.headers.set("ETag", "\"1\"");
          response.headers.set("Set-Cookie", "never again");
          return response;
        }));
  }
  Answered create(std::string key, std::string body, std::string bearer = "") {
    return ask({"POST",
                "/v1/sites",
                std::move(body),
                bearer.empty() ? bootstrap : bearer,
                {{"Idempotency-Key", key}}});
  }
  int made = 0;
};

TEST_F(IdempotentTest, TheSameCallGetsTheSameAnswer) {
  const Answered first = create("k1", "{\"a\":1}");
  const Answered again = create("k1", "{\"a\":1}");
  EXPECT_EQ(made, 1);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers.get("ETag"), "\"1\"");
  EXPECT_EQ(again.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(again.headers.get("Idempotent-Replayed"), "true");
  EXPECT_FALSE(again.headers.has("Set-Cookie"));
  EXPECT_EQ(create("k2", "{\"a\":1}").body, "{\"made\":2}");
  EXPECT_EQ(admin("POST", "/v1/sites", "{\"a\":1}").body, "{\"made\":3}")
      << "without a key it runs each time";
}

TEST_F(IdempotentTest, AnotherBodyIsAMismatch) {
  create("k1", "{\"a\":1}");
  EXPECT_EQ(create("k1", "{\"a\":2}").code(), "idempotency-mismatch");
  EXPECT_EQ(made, 1);
}

TEST_F(IdempotentTest, KeysAreEachCallersOwn) {
  create("k1", "{\"a\":1}");
  EXPECT_EQ(create("k1", "{\"a\":2}", token({core::Role::administrator})).body, "{\"made\":2}");
}

TEST_F(IdempotentTest, AFailureIsNotKept) {
  EXPECT_EQ(create("k1", "").code(), "invalid-argument");
  EXPECT_EQ(create("k1", "{\"a\":1}").status, 201);
}

TEST_F(IdempotentTest, TheTwinOfARunningCallIsRefused) {
  Idempotent idempotent(t.store(), operations, t.metrics);
  const core::Caller caller = core::Caller::system();
  http::Request request;
  request.path = "/v1/sites";
  request.headers.set("Idempotency-Key", "k1");
  int runs = 0;
  const auto answered = idempotent.call(
      caller, "create_site", request, [&](const core::Caller&) -> Result<http::Response> {
        ++runs;
        const auto twin = idempotent.call(caller, "create_site", request,
                                          [&](const core::Caller&) -> Result<http::Response> {
                                            ++runs;
                                            return http::json(201, "{}");
                                          });
        EXPECT_EQ(twin.error().code, Code::conflict);
        return http::json(201, "{}");
      });
  EXPECT_TRUE(answered);
  EXPECT_EQ(runs, 1);
}

// As a kill between the change's commit and the answer's leaves it.
TEST_F(IdempotentTest, WhatWasDoneAndNotAnsweredIsNotDoneAgain) {
  Idempotent idempotent(t.store(), operations, t.metrics);
  const core::Caller caller = core::Caller::system();
  http::Request request;
  request.path = "/v1/sites";
  request.headers.set("Idempotency-Key", "k1");
  int runs = 0;
  const auto run = [&](const core::Caller& once) -> Result<http::Response> {
    ++runs;
    TRY(t.store().change(once, "create_site",
                         [](core::Change& change) { return change.audit("site_1", "", "{}"); }));
    return fail(Code::io_error, "the answer is lost");
  };
  EXPECT_FALSE(idempotent.call(caller, "create_site", request, run));
  const auto again = idempotent.call(caller, "create_site", request, run);
  ASSERT_FALSE(again) << "nobody can tell what became of it";
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_EQ(runs, 1);
  request.headers.set("Idempotency-Key", "k2");
  EXPECT_FALSE(idempotent.call(caller, "create_site", request, run));
  EXPECT_EQ(runs, 2);
}

TEST_F(IdempotentTest, ALostAnswerIsMadeAnew) {
  std::string read;
  ASSERT_TRUE(operations.add("get_site", [&](const core::Call& call) -> Result<http::Response> {
    read = call.path("site_id");
    if (read != "site_1") return fail(Code::not_found, "there is no " + read);
    auto response = http::json(200, "{\"id\":\"site_1\"}");
    response.headers.set("ETag", "\"7\"");
    return response;
  }));
  Idempotent idempotent(t.store(), operations, t.metrics);
  const core::Caller caller = core::Caller::system();
  http::Request request;
  request.path = "/v1/sites";
  std::string object;
  const auto run = [&](const core::Caller& once) -> Result<http::Response> {
    TRY(t.store().change(once, "create_site", [&](core::Change& change) {
      change.keep_for_answer("{\"secret\":\"s\"}");
      return change.audit(object, "", "{}");
    }));
    return fail(Code::io_error, "the answer is lost");
  };
  object = "site_1";
  request.headers.set("Idempotency-Key", "k1");
  EXPECT_FALSE(idempotent.call(caller, "create_site", request, run));
  for (int i = 0; i < 2; ++i) {  // the second time it is stored
    const auto again = idempotent.call(caller, "create_site", request, run);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(again->status, 201);
    EXPECT_EQ(text_of(again->body), "{\"id\":\"site_1\",\"secret\":\"s\"}");
    EXPECT_EQ(again->headers.get("ETag"), "\"7\"");
    EXPECT_EQ(again->headers.get("Idempotent-Replayed"), "true");
  }
  object = "site_2";  // removed since
  request.headers.set("Idempotency-Key", "k2");
  EXPECT_FALSE(idempotent.call(caller, "create_site", request, run));
  const auto gone = idempotent.call(caller, "create_site", request, run);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::conflict);
  EXPECT_NE(gone.error().message.find("site_2"), std::string::npos);
}

// Those in the list answer `conflict`, naming the object: nothing reads one of them alone.
TEST(IdempotentOperations, EachHasItsWayToMakeALostAnswerAnew) {
  const std::set<std::string_view> without{"acknowledge_finding",  "approve_enrolment",
                                           "refuse_enrolment",     "import_registrations",
                                           "add_endorsement_root", "register_endorsement"};
  for (const OperationRow& row : kOperationTable) {
    const bool wanted = row.idempotent && !without.contains(row.id);
    EXPECT_EQ(wanted, Idempotent::can_make_anew(row.id)) << row.id;
  }
}

TEST_F(IdempotentTest, AnswersAreForgottenAfterADay) {
  create("k1", "{\"a\":1}");
  t.world.run_for(hours(25));
  EXPECT_EQ(create("k1", "{\"a\":2}").status, 201);
}

TEST_F(IdempotentTest, ReplaysSurviveAPowerCut) {
  create("k1", "{\"a\":1}");
  dispatch.reset();
  workers.reset();
  people.reset();
  t.crash();
  ASSERT_TRUE(t.open());
  people = std::move(*core::People::make(t.store(), t.system().threads, t.metrics, kCheap));
  workers = t.system().threads.start_workers("api", 4, 64);
  EXPECT_EQ(create("k1", "{\"a\":1}").headers.get("Idempotent-Replayed"), "true");
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace holdfast::api
