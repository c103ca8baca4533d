#include "cli/run.hpp"

#include "cli/cli_fixture_test.hpp"
#include "cli/contexts.hpp"
#include "libs/crypto/pem.hpp"
#include "libs/crypto/testing.hpp"

namespace holdfast::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RunTest : public CliTest {};

constexpr std::string_view kForbidden =
    R"({"type":"/problems/forbidden","title":"Permission is missing","status":403,"code":"forbidden",)"
    R"("detail":"not here","mend":"Ask.","request_id":"req_7","permission":"user.read"})";

TEST_F(RunTest, AFailureSaysWhatWhyMendCodeAndRequestOnce) {
  script.on("GET /v1/users?limit=500", Scripted{403, std::string(kForbidden)});
  EXPECT_EQ(run({"user", "list"}), 5);
  EXPECT_EQ(terminal.printed, "");
  EXPECT_EQ(
      terminal.said,
      "error: Permission is missing\n  why:  not here\n  permission: user.read\n  mend: Ask.\n"
      "  code: forbidden  request: req_7\n");
  EXPECT_EQ(run({"user", "list", "--json"}), 5);
  EXPECT_EQ(terminal.printed, "");
  const auto problem = wire::parse_json(terminal.said);
  ASSERT_TRUE(problem) << terminal.said;
  EXPECT_EQ(text_at(*problem, "code"), "forbidden");
  EXPECT_EQ(text_at(*problem, "request_id"), "req_7");
  EXPECT_EQ(text_at(*problem, "permission"), "user.read");
}

TEST_F(RunTest, ExitCodesFollowTheProblem) {
  for (const CodeRow& row : kCodeTable) {
    script.answers.clear();
    script.on("GET /v1/version",
              Scripted{row.http_status, R"({"code":")" + std::string(row.name) +
                                            R"(","title":"t","request_id":"r"})"});
    // Over HTTP, "unavailable" is an answer of a server that was reached.
    EXPECT_EQ(run({"version"}), row.cli_exit) << row.name;
  }
  script.answers.clear();
  script.on("GET /v1/version", fail(Code::unavailable, "connection refused"));
  EXPECT_EQ(run({"version"}), 8);
  EXPECT_THAT(terminal.said, HasSubstr("code: unreachable"));
  EXPECT_EQ(run({"versoin"}), 2);
}

TEST_F(RunTest, TheServerIsFoundByFlagThenEnvironmentThenContext) {
  script.on("GET /v1/version", Scripted{});
  Contexts contexts;
  contexts.all["default"] = {"https://stored.example", "", "ab12", "hft_stored", ""};
  contexts.all["other"] = {"https://other.example:9", "", "", "", "cookie"};
  ASSERT_TRUE(save_contexts(system.files, "/home/.config/holdfast/config.json", contexts));
  EXPECT_EQ(run({"version", "--server", "https://flag.example:1/"}), 0);
  EXPECT_EQ(script.targets.back().url, "https://flag.example:1");
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_EQ(script.targets.back().url, "https://hold.example:8443");
  EXPECT_EQ(script.last().headers.get("Authorization"), "Bearer hft_secret");
  EXPECT_FALSE(script.targets.back().fingerprint)
      << "what is stored for one server is not for another";
  terminal.variables.clear();
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_EQ(script.targets.back().url, "https://stored.example");
  EXPECT_EQ(script.targets.back().fingerprint, (Bytes{0xab, 0x12}));
  EXPECT_EQ(script.last().headers.get("Authorization"), "Bearer hft_stored");
  EXPECT_EQ(run({"version", "--context", "other"}), 0);
  EXPECT_EQ(script.last().headers.get("Cookie"), "__Host-holdfast=cookie");
  EXPECT_EQ(script.last().headers.get("X-Holdfast-CSRF"), "1");
  EXPECT_EQ(run({"version", "--context", "none"}), 3);
  EXPECT_EQ(run({"version", "--server", "https://stored.example"}), 0);
  EXPECT_EQ(script.last().headers.get("Authorization"), "Bearer hft_stored")
      << "the same server, named by hand";
  EXPECT_EQ(run({"version", "--server", "https://flag.example"}), 0);
  EXPECT_FALSE(script.last().headers.has("Authorization")) << "a token goes to no other server";
}

TEST_F(RunTest, WithoutAServerItSaysHow) {
  terminal.variables.clear();
  EXPECT_EQ(run({"device", "list"}), 4);
  EXPECT_THAT(terminal.said, HasSubstr("holdfast login"));
  terminal.variables["HOLDFAST_SERVER"] = "http://plain.example";
  EXPECT_EQ(run({"device", "list"}), 2);
}

TEST_F(RunTest, TheCaIsAFile) {
  script.on("GET /v1/version", Scripted{});
  crypto::testing::Pki pki(world.wall());
  put("/ca.pem", crypto::to_pem("CERTIFICATE", pki.root_der()));
  terminal.variables["HOLDFAST_CA"] = "/ca.pem";
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_EQ(script.targets.back().trust_der, std::vector<Bytes>{pki.root_der()});
  EXPECT_EQ(run({"version", "--ca", "/missing.pem"}), 3);
  put("/empty.pem", "nothing");
  EXPECT_EQ(run({"version", "--ca", "/empty.pem"}), 2);
}

TEST_F(RunTest, ListsFollowAllPages) {
  script.on(
      "GET /v1/sites?limit=500",
      Scripted{200,
               R"({"items":[{"id":"site_1","name":"A","device_count":2}],"next_cursor":"c1"})"});
  script.on(
      "GET /v1/sites?limit=500&cursor=c1",
      Scripted{200,
               R"({"items":[{"id":"site_2","name":"B","device_count":0}],"next_cursor":null})"});
  EXPECT_EQ(run({"site", "list"}), 0);
  EXPECT_EQ(terminal.printed, "A\t2\t\tsite_1\nB\t0\t\tsite_2\n");
  EXPECT_EQ(run({"site", "list", "--quiet"}), 0);
  EXPECT_EQ(terminal.printed, "site_1\nsite_2\n");
  EXPECT_EQ(run({"site", "list", "--json"}), 0);
  EXPECT_EQ(
      terminal.printed,
      R"({"items":[{"id":"site_1","name":"A","device_count":2},{"id":"site_2","name":"B","device_count":0}],"next_cursor":null})"
      "\n");
  terminal.tty = true;
  EXPECT_EQ(run({"site", "list"}), 0);
  EXPECT_THAT(terminal.printed, StartsWith("NAME  DEVICES  DESCRIPTION  ID\nA "));
}

TEST_F(RunTest, OnePageWhenALimitIsGiven) {
  script.on("GET /v1/sites?limit=1",
            Scripted{200, R"({"items":[{"id":"site_1","name":"A"}],"next_cursor":"c1"})"});
  EXPECT_EQ(run({"site", "list", "--limit", "1", "--json"}), 0);
  EXPECT_THAT(terminal.printed, HasSubstr(R"("next_cursor":"c1")"));
  EXPECT_EQ(run({"site", "list", "--limit", "1"}), 0);
  EXPECT_EQ(terminal.said, "More follow: --cursor c1\n");
}

TEST_F(RunTest, NamesBecomeIds) {
  const std::string id = "dev_01JD3V9QK2M4N6P8R0S2T4V6W8";
  script.on("GET /v1/devices?q=pump&limit=500",
            Scripted{200, R"({"items":[{"id":"dev_x","name":"pump 2"},{"id":")" + id +
                              R"(","name":"pump"}],"next_cursor":null})"});
  script.on("GET /v1/devices/" + id, Scripted{200, R"({"id":")" + id + R"(","name":"pump"})"});
  EXPECT_EQ(run({"device", "show", "pump", "-q"}), 0);
  EXPECT_EQ(terminal.printed, id + "\n");
  script.requests.clear();
  EXPECT_EQ(run({"device", "show", id, "-q"}), 0);
  EXPECT_EQ(script.requests.size(), 1U) << "an id needs no search";
  script.on("GET /v1/devices?q=pmup&limit=500",
            Scripted{200, R"({"items":[{"id":"dev_x","name":"pump"}],"next_cursor":null})"});
  EXPECT_EQ(run({"device", "show", "pmup"}), 3);
  EXPECT_THAT(terminal.said, HasSubstr("Did you mean \"pump\"?"));
  script.on(
      "GET /v1/devices?q=twin&limit=500",
      Scripted{
          200,
          R"({"items":[{"id":"dev_1","name":"twin"},{"id":"dev_2","name":"twin"}],"next_cursor":null})"});
  EXPECT_EQ(run({"device", "show", "twin"}), 6);
  EXPECT_THAT(terminal.said, HasSubstr("dev_1, dev_2"));
}

TEST_F(RunTest, QuestionsAreAskedOrAnsweredBeforehand) {
  script.on("DELETE /v1/tokens/svc_01JD3V9QK2M4N6P8R0S2T4V6W8", Scripted{204, ""});
  const std::vector<std::string> words = {"token", "remove", "svc_01JD3V9QK2M4N6P8R0S2T4V6W8"};
  EXPECT_EQ(run(words), 2);
  EXPECT_THAT(terminal.said, HasSubstr("--yes"));
  terminal.tty = true;
  terminal.typed = {"n"};
  EXPECT_NE(run(words), 0);
  EXPECT_TRUE(script.requests.empty());
  terminal.typed = {"y"};
  EXPECT_EQ(run(words), 0);
  auto beforehand = words;
  beforehand.push_back("--yes");
  EXPECT_EQ(run(beforehand), 0);
  auto never = words;
  never.push_back("--no-input");
  EXPECT_EQ(run(never), 2);
}

TEST_F(RunTest, ChangesCarryTheRevisionThatWasRead) {
  const std::string path = "/v1/sites/site_01JD3V9QK2M4N6P8R0S2T4V6W8";
  script.on("GET " + path, Scripted{200, "{}", {{"ETag", "\"7\""}}});
  script.on("PATCH " + path, Scripted{200, R"({"id":"site_1"})"});
  EXPECT_EQ(run({"site", "change", "site_01JD3V9QK2M4N6P8R0S2T4V6W8", "--name", "New"}), 0);
  EXPECT_EQ(script.last().headers.get("If-Match"), "\"7\"");
  EXPECT_EQ(script.last().headers.get("Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(string_of(script.last().body), R"({"name":"New"})");
}

TEST_F(RunTest, EachPostHasAKeyOfItsOwn) {
  script.on("POST /v1/sites", Scripted{201, R"({"id":"site_1"})"});
  EXPECT_EQ(run({"site", "create", "A"}), 0);
  const std::string first(script.last().headers.get("Idempotency-Key").value_or(""));
  EXPECT_EQ(first.size(), 32U);
  EXPECT_EQ(run({"site", "create", "A"}), 0);
  EXPECT_NE(script.last().headers.get("Idempotency-Key"), first);
}

// ---- streams

class FollowTest : public RunTest {
 protected:
  static Scripted events(std::string text) {
    return {200, std::move(text), {{"Content-Type", "text/event-stream"}}};
  }
};

TEST_F(FollowTest, GoesOnWhereItWasCut) {
  const std::string at = "GET /v1/events/tail";
  script.on(at, events("id: 5\nevent: event\ndata: {\"message\":\"one\"}\n\n"));
  script.on(at, fail(Code::closed, "cut"));
  script.on(at, events("id: 6\nevent: event\ndata: {\"message\":\"two\"}\n\n"));
  script.on(at, Scripted{403, std::string(kForbidden)});
  EXPECT_EQ(run({"event", "tail", "--json"}), 5);
  EXPECT_EQ(terminal.printed, "{\"message\":\"one\"}\n{\"message\":\"two\"}\n");
  ASSERT_EQ(script.requests.size(), 4U);
  EXPECT_FALSE(script.requests[0].headers.has("Last-Event-ID"));
  EXPECT_EQ(script.requests[1].headers.get("Last-Event-ID"), "5");
  EXPECT_EQ(script.requests[2].headers.get("Last-Event-ID"), "5");
  EXPECT_EQ(script.requests[3].headers.get("Last-Event-ID"), "6");
  EXPECT_EQ(script.pauses.size(), 3U) << "never at once";
}

TEST_F(FollowTest, GivesUpInTheEnd) {
  script.on("GET /v1/events/tail", fail(Code::unavailable, "refused"));
  EXPECT_EQ(run({"event", "tail"}), 8);
  EXPECT_EQ(script.requests.size(), 20U);
  for (const Duration pause : script.pauses) EXPECT_LE(pause, seconds(15));
}

TEST_F(FollowTest, AResetIsToldToPeople) {
  script.on("GET /v1/events/tail",
            events("id: 5\nevent: reset\ndata: {\"reason\":\"too old\"}\n\n"));
  script.on("GET /v1/events/tail", Scripted{403, std::string(kForbidden)});
  run({"event", "tail"});
  EXPECT_EQ(terminal.printed, "");
  EXPECT_THAT(terminal.said, HasSubstr("Something was missed: too old."));
}

}  // namespace
}  // namespace holdfast::cli
