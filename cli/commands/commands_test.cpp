// What commands ask of the server and print: the faces that scripts rely on.
#include "cli/cli_fixture_test.hpp"
#include "cli/contexts.hpp"

namespace holdfast::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kDevice = "dev_01JD3V9QK2M4N6P8R0S2T4V6W8";
const std::string kOfDevice = "/v1/devices/" + kDevice;

class CommandsTest : public CliTest {};

TEST_F(CommandsTest, DeviceListHasItsFixedFace) {
  script.on(
      "GET /v1/devices?state=active&online=true&limit=500",
      Scripted{
          200,
          R"({"items":[{"id":"dev_1","name":"a","presence":{"online":true,"last_seen":"2026-01-01T00:00:00.5Z"}}],"next_cursor":null,"total_estimate":1})"});
  EXPECT_EQ(run({"device", "list", "--state", "active", "--online", "--json"}), 0);
  const auto json = wire::parse_json(terminal.printed);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->get_object().size(), 2U);
  EXPECT_EQ(text_at(*json, "items"),
            wire::json_text(json->get_object().at("items").get_array()[0]));
  EXPECT_TRUE(json->get_object().at("next_cursor").is_null());
}

TEST_F(CommandsTest, TelemetryQueryPrintsEveryPointAndNothingElse) {
  const std::string at =
      "GET " + kOfDevice + "/telemetry?metric=lab.temp&from=2025-12-31T23%3A00%3A00Z&limit=50000";
  script.on(
      at,
      Scripted{
          200,
          R"({"points":[{"time":"t1","value":20.5,"time_source":"device"}],"next_cursor":"c"})"});
  script.on(
      at + "&cursor=c",
      Scripted{
          200,
          R"({"points":[{"time":"t2","value":true,"time_source":"server"}],"next_cursor":null})"});
  EXPECT_EQ(run({"telemetry", "query", kDevice, "lab.temp", "--since", "1h", "--json"}), 0);
  EXPECT_EQ(terminal.printed,
            R"({"points":[{"time":"t1","value":20.5},{"time":"t2","value":true}]})"
            "\n");
  EXPECT_EQ(run({"telemetry", "query", kDevice, "lab.temp", "--since", "1h"}), 0);
  EXPECT_EQ(terminal.printed, "t1\t20.5\nt2\ttrue\n");
  EXPECT_EQ(run({"telemetry", "query", kDevice, "a.b", "c.d"}), 2)
      << "several metrics need buckets";
  EXPECT_EQ(run({"telemetry", "query", kDevice, "a.b", "--since", "soon"}), 2);
  EXPECT_EQ(run({"telemetry", "query", kDevice, "a.b", "--since", "1h", "--from",
                 "2026-01-01T00:00:00Z"}),
            2);
}

TEST_F(CommandsTest, TelemetryOfSeveralDevicesStandsSideBySide) {
  script.on("GET /v1/devices?tag=rack%3D3&limit=100",
            Scripted{200, R"({"items":[{"id":"dev_2"}],"next_cursor":null})"});
  script.on(
      "GET /v1/telemetry?metric=a.b&device_id=" + kDevice +
          "&device_id=dev_2&bucket_s=300&functions=p95&fill=linear&top=2",
      Scripted{200, R"({"starts":["t1","t2"],"lines":[{"device_id":"dev_1","group":null,)"
                    R"("metric":"a.b","function":"p95","values":[1.5,null]}],)"
                    R"("left_out":0,"partial":true,"partial_reason":"the deadline came first"})"});
  EXPECT_EQ(run({"telemetry", "query", kDevice, "a.b", "--with-tag", "rack=3", "--bucket", "5m",
                 "--functions", "p95", "--fill", "linear", "--top", "2"}),
            0);
  EXPECT_EQ(terminal.printed, "t1\t1.5\nt2\t-\n");
  EXPECT_THAT(terminal.said, HasSubstr("partial: the deadline came first"));
  EXPECT_EQ(run({"telemetry", "query", kDevice, "a.b", "--fill", "linear"}), 2) << "needs --bucket";
}

TEST_F(CommandsTest, NewestReadingsOfManyDevices) {
  script.on("GET /v1/telemetry/newest?metric=a.b&limit=500",
            Scripted{200, R"({"items":[{"device_id":"dev_1","metric":"a.b","time":"t","value":7,)"
                          R"("time_source":"device"}],"next_cursor":null,"partial":false})"});
  EXPECT_EQ(run({"telemetry", "newest", "a.b"}), 0);
  EXPECT_THAT(terminal.printed, HasSubstr("dev_1\ta.b\t7\tt"));
}

TEST_F(CommandsTest, AnEmptyQueryIsAnEmptyList) {
  script.on("GET " + kOfDevice + "/telemetry?metric=lab.temp&limit=50000",
            Scripted{200, R"({"points":[],"next_cursor":null})"});
  EXPECT_EQ(run({"telemetry", "query", kDevice, "lab.temp", "--json"}), 0);
  EXPECT_EQ(terminal.printed, "{\"points\":[]}\n");
}

TEST_F(CommandsTest, BucketsComeAsTheServerSendsThem) {
  script.on("GET " + kOfDevice + "/telemetry?metric=a.b&metric=c.d&bucket_s=300",
            Scripted{200, R"({"buckets":[{"metric":"a.b","start":"t","count":3}]})"});
  EXPECT_EQ(run({"telemetry", "query", kDevice, "a.b", "c.d", "--bucket", "5m", "--json"}), 0);
  EXPECT_EQ(terminal.printed, R"({"buckets":[{"metric":"a.b","start":"t","count":3}]})"
                              "\n");
}

TEST_F(CommandsTest, EnrolClaimPrintsWhatTheContractSays) {
  script.on(
      "POST /v1/claims",
      Scripted{
          201,
          R"({"id":"clm_1","claim":"hfc_x","code":"hf1.y","expires_at":"2026-01-01T01:00:00Z"})"});
  EXPECT_EQ(
      run({"enrol", "claim", "--json", "--expires", "30m", "--serial", "S1", "--tag", "room=12"}),
      0);
  EXPECT_EQ(terminal.printed,
            R"({"id":"clm_1","claim":"hfc_x","code":"hf1.y","expires_at":"2026-01-01T01:00:00Z"})"
            "\n");
  EXPECT_EQ(string_of(script.last().body),
            R"({"expires_in_s":1800,"device_serial":"S1","tags":{"room":"12"}})");
  EXPECT_EQ(run({"enrol", "claim"}), 0);
  EXPECT_EQ(terminal.printed, "hf1.y\n") << "the code alone can be piped to the agent";
  EXPECT_THAT(terminal.said, HasSubstr("hfc_x"));
}

TEST_F(CommandsTest, FollowingAClaimEndsWithTheFirstReading) {
  script.on("POST /v1/claims", Scripted{201, R"({"id":"clm_1","code":"hf1.y"})"});
  script.on("GET /v1/claims/clm_1/progress",
            Scripted{200,
                     "id: 1\nevent: claim\ndata: "
                     "{\"state\":\"open\",\"progress\":[{\"step\":\"code_shown\",\"at\":\"2026-01-"
                     "01T00:00:00Z\"},"
                     "{\"step\":\"claimed\",\"at\":null,\"error\":{\"message\":\"too "
                     "weak\",\"mend\":\"Use P-256.\"}}]}\n\n"
                     "id: 2\nevent: claim\ndata: "
                     "{\"state\":\"spent\",\"progress\":[{\"step\":\"code_shown\",\"at\":\"2026-01-"
                     "01T00:00:00Z\"},"
                     "{\"step\":\"first_reading\",\"at\":\"2026-01-01T00:00:09Z\",\"detail\":\"lab."
                     "temp\"}]}\n\n",
                     {{"Content-Type", "text/event-stream"}}});
  EXPECT_EQ(run({"enrol", "claim", "--follow", "-q"}), 0);
  EXPECT_THAT(terminal.said, HasSubstr("failed: claimed: too weak (Use P-256.)"));
  EXPECT_THAT(terminal.said, HasSubstr("first_reading  lab.temp"));
}

TEST_F(CommandsTest, DeviceActsSendTheirReason) {
  script.on("POST " + kOfDevice + "/quarantine", Scripted{200, R"({"id":"dev_1"})"});
  script.on("POST " + kOfDevice + "/release", Scripted{200, R"({"id":"dev_1"})"});
  script.on("POST " + kOfDevice + "/revoke", Scripted{200, R"({"id":"dev_1"})"});
  EXPECT_EQ(run({"device", "quarantine", kDevice, "--reason", "odd traffic"}), 0);
  EXPECT_EQ(string_of(script.last().body), R"({"reason":"odd traffic"})");
  EXPECT_EQ(run({"device", "release", kDevice}), 0);
  EXPECT_TRUE(script.last().body.empty());
  EXPECT_EQ(run({"device", "revoke", kDevice, "--reason", "stolen"}), 2) << "asks first";
  EXPECT_EQ(run({"device", "revoke", kDevice, "--reason", "stolen", "--yes", "--json"}), 0);
  EXPECT_EQ(terminal.printed, "{\"id\":\"dev_1\"}\n");
}

TEST_F(CommandsTest, TagsAreSetAndRemovedOneByOne) {
  script.on("PUT " + kOfDevice + "/tags/room", Scripted{200, "{}"});
  script.on("PUT " + kOfDevice + "/tags/a%20b", Scripted{200, "{}"});
  script.on("DELETE " + kOfDevice + "/tags/old", Scripted{200, R"({"tags":{"room":"12"}})"});
  EXPECT_EQ(run({"device", "tag", kDevice, "room=12", "a b", "--remove", "old"}), 0);
  EXPECT_THAT(script.asked(), HasSubstr(R"(/tags/room {"value":"12"})"));
  EXPECT_THAT(script.asked(), HasSubstr(R"(/tags/a%20b {"value":""})"));
  EXPECT_EQ(terminal.said, "Tags are now {\"room\":\"12\"}.\n");
  EXPECT_EQ(run({"device", "tag", kDevice}), 2);
  EXPECT_EQ(run({"device", "tag", kDevice, "=x"}), 2);
}

TEST_F(CommandsTest, WatchingPrintsALineForEachChange) {
  script.on("GET /v1/stream?device_id=" + kDevice,
            Scripted{200,
                     "id: 1\nevent: device\ndata: "
                     "{\"id\":\"dev_1\",\"changes\":{\"name\":\"a\",\"state\":\"active\","
                     "\"presence\":{\"online\":true}}}\n\n"
                     "id: 2\nevent: reading\ndata: "
                     "{\"device_id\":\"dev_1\",\"metric\":\"lab.temp\",\"value\":20.5}\n\n",
                     {{"Content-Type", "text/event-stream"}}});
  script.on("GET /v1/stream?device_id=" + kDevice,
            Scripted{401, R"({"code":"unauthenticated","title":"t"})"});
  EXPECT_EQ(run({"device", "watch", kDevice}), 4);
  EXPECT_EQ(terminal.printed, "device\tdev_1\ta\tactive\ttrue\nreading\tdev_1\tlab.temp\t20.5\n");
}

TEST_F(CommandsTest, EventsAreCountedAndExplained) {
  script.on(
      "GET /v1/events/count?q=failed%20user%3Aroot&step_s=3600&by=ip&limit=5",
      Scripted{200, R"({"rows":[{"start":"2026-01-01T00:00:00Z","value":"10.0.0.1","count":7}],)"
                    R"("total":9,"other":2,"without":0,"partial":true})"});
  EXPECT_EQ(run({"event", "query", "failed", "user:root", "--top", "ip", "--histogram", "1h",
                 "--limit", "5"}),
            0)
      << script.asked() << terminal.said;
  EXPECT_EQ(terminal.printed, "2026-01-01T00:00:00Z\t10.0.0.1\t7\n");
  EXPECT_THAT(terminal.said, HasSubstr("9 events."));
  EXPECT_THAT(terminal.said, HasSubstr("Not all was looked at"));
  script.on(
      "GET /v1/events/explain?q=failed",
      Scripted{200, R"({"steps":[{"part":"failed","how":"token filter, 1 term"}],"blocks":10,)"
                    R"("blocks_left":2,"events":900,"events_left":100})"});
  EXPECT_EQ(run({"event", "explain", "failed"}), 0);
  EXPECT_EQ(terminal.printed, "failed\ttoken filter, 1 term\n");
  EXPECT_THAT(terminal.said, HasSubstr("To read: 2 of 10 blocks, 100 of 900 events."));
}

TEST_F(CommandsTest, TwinSetMergesMembers) {
  script.on("GET " + kOfDevice + "/twin",
            Scripted{200, R"({"desired":{"a":1},"reported":{"b":2}})", {{"ETag", "\"4\""}}});
  script.on("PATCH " + kOfDevice + "/twin/desired", Scripted{200, R"({"desired_version":5})"});
  script.on("PUT " + kOfDevice + "/twin/desired", Scripted{200, R"({"desired_version":6})"});
  EXPECT_EQ(run({"twin", "set", kDevice, "fan.mode=eco", "fan.level=3", "old="}), 0);
  EXPECT_EQ(string_of(script.last().body), R"({"fan":{"mode":"eco","level":3},"old":null})");
  EXPECT_EQ(script.last().headers.get("If-Match"), "\"4\"");
  EXPECT_EQ(run({"twin", "set", kDevice, "--replace", R"({"x":[1]})"}), 0);
  EXPECT_EQ(script.last().method, "PUT");
  EXPECT_EQ(string_of(script.last().body), R"({"x":[1]})");
  put("/twin.json", R"({"y":true})");
  EXPECT_EQ(run({"twin", "set", kDevice, "@/twin.json"}), 0);
  EXPECT_EQ(string_of(script.last().body), R"({"y":true})");
  terminal.typed = {R"({"z":)", "5}"};
  EXPECT_EQ(run({"twin", "set", kDevice, "-"}), 0);
  EXPECT_EQ(string_of(script.last().body), R"({"z":5})");
  EXPECT_EQ(run({"twin", "set", kDevice, "nonsense"}), 2);
  EXPECT_EQ(run({"twin", "get", kDevice, "--reported"}), 0);
  EXPECT_EQ(terminal.printed, "{\"b\":2}\n");
}

TEST_F(CommandsTest, ACommandsOutcomeIsTheExitCode) {
  const std::string at = "POST " + kOfDevice + "/commands?wait_s=10";
  script.on(at, Scripted{201, R"({"id":"cmd_1","state":"succeeded","result":{"ok":true}})"});
  script.on(
      at, Scripted{201, R"({"id":"cmd_1","state":"failed","error":{"message":"no such valve"}})"});
  script.on(at, Scripted{201, R"({"id":"cmd_1","state":"expired"})"});
  const std::vector<std::string> words = {"command", "run", kDevice,      "open", R"({"valve":1})",
                                          "--wait",  "10s", "--deadline", "2m"};
  EXPECT_EQ(run(words), 0);
  EXPECT_EQ(terminal.printed, "{\"ok\":true}\n");
  EXPECT_EQ(string_of(script.last().body),
            R"({"name":"open","payload":{"valve":1},"deadline_s":120})");
  EXPECT_EQ(run(words), 6);
  EXPECT_THAT(terminal.said, HasSubstr("no such valve"));
  EXPECT_EQ(run(words), 8);
}

TEST_F(CommandsTest, PasswordsAreAskedForAndNeverArguments) {
  script.on("POST /v1/users", Scripted{201, R"({"id":"usr_1"})"});
  terminal.typed = {"correct horse battery"};
  EXPECT_EQ(run({"user", "create", "ann", "--role", "viewer", "--role", "operator"}), 0);
  EXPECT_TRUE(terminal.asked_hidden);
  EXPECT_EQ(string_of(script.last().body),
            R"({"name":"ann","roles":["viewer","operator"],"password":"correct horse battery"})");
  EXPECT_EQ(run({"user", "create", "ann", "--password", "x"}), 2);
}

TEST_F(CommandsTest, ATokensSecretIsTheOnlyOutput) {
  script.on("POST /v1/tokens", Scripted{201, R"({"token":{"id":"svc_1"},"secret":"hft_s"})"});
  EXPECT_EQ(run({"token", "create", "grafana", "--kind", "service", "--role", "viewer", "--expires",
                 "never"}),
            0);
  EXPECT_EQ(terminal.printed, "hft_s\n");
  EXPECT_EQ(string_of(script.last().body),
            R"({"name":"grafana","roles":["viewer"],"kind":"service","expires_at":null})");
  EXPECT_EQ(run({"token", "create", "x", "--expires", "1d"}), 0);
  EXPECT_THAT(string_of(script.last().body), HasSubstr(R"("expires_at":"2026-01-02T00:00:00Z")"));
}

TEST_F(CommandsTest, ABrokenAuditIsAFailure) {
  put("/kept", "a note");
  script.on("POST /v1/audit/verify",
            Scripted{200, R"({"ok":true,"entries_checked":5,"checkpoints_checked":1})"});
  script.on(
      "POST /v1/audit/verify",
      Scripted{
          200,
          R"({"ok":false,"entries_checked":5,"checkpoints_checked":1,"first_bad_seq":2,"finding":"edited"})"});
  EXPECT_EQ(run({"audit", "verify", "--checkpoint", "/kept"}), 0);
  EXPECT_EQ(string_of(script.last().body), R"({"checkpoints":["a note"]})");
  EXPECT_EQ(terminal.printed, "5 entries and 1 checkpoints checked.\n");
  EXPECT_NE(run({"audit", "verify", "--json"}), 0);
  EXPECT_THAT(terminal.printed, HasSubstr(R"("ok":false)"))
      << "the verdict is printed all the same";
  EXPECT_THAT(terminal.said, HasSubstr("edited at entry 2"));
  script.on("GET /v1/audit/3/proof", Scripted{200, R"({"leaf_index":3})"});
  EXPECT_EQ(run({"audit", "prove", "3", "-o", "/proof.json"}), 0);
  EXPECT_THAT(file("/proof.json"), HasSubstr("leaf_index"));
}

TEST_F(CommandsTest, DoctorStopsWhereItFails) {
  put("/ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_NE(run({"doctor"}), 0) << "no CA is known";
  EXPECT_THAT(terminal.printed, HasSubstr("FAIL  settings"));
  terminal.variables["HOLDFAST_CA"] = "/ca.pem";
  script.on("GET /healthz", fail(Code::server_untrusted, "a stranger"));
  EXPECT_EQ(run({"doctor"}), 4);
  EXPECT_THAT(terminal.printed, HasSubstr("FAIL  certificate"));
  EXPECT_THAT(terminal.printed, Not(HasSubstr("readiness")));
  script.answers.clear();
  script.on("GET /healthz", Scripted{200, "{}", {{"Date", "Thu, 01 Jan 2026 01:00:00 GMT"}}});
  script.on("GET /readyz", Scripted{200, R"({"status":"ok"})"});
  script.on("GET /v1/session", Scripted{200, R"({"actor":{"name":"ann"},"roles":["viewer"]})"});
  script.on("GET /v1/version", Scripted{200, R"({"version":"1"})"});
  script.on("GET /v1/agent", Scripted{200, R"({"device_url":"https://d:8444"})"});
  EXPECT_EQ(run({"doctor"}), 6);
  EXPECT_THAT(terminal.printed, HasSubstr("FAIL  clock: -3600 s apart"));
  EXPECT_THAT(terminal.printed, HasSubstr("ok    sign-in: ann, viewer"));
  EXPECT_EQ(run({"doctor", "--json"}), 6);
  EXPECT_TRUE(wire::parse_json(terminal.printed)) << terminal.printed;
}

// ---- signing in

class LoginTest : public CommandsTest {
 protected:
  LoginTest() {
    terminal.variables.clear();
    script.on(
        "GET /v1/session",
        Scripted{
            200,
            R"({"actor":{"name":"ann"},"roles":["viewer"],"expires_at":"2026-01-02T00:00:00Z"})"});
    put("/ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  }
  const std::string stored = "/home/.config/holdfast/config.json";
};

TEST_F(LoginTest, AToken) {
  put("/token", "hft_abc\n");
  EXPECT_EQ(run({"login", "https://h.example:8443/", "--ca", "/ca.pem", "--token-file", "/token"}),
            0);
  EXPECT_EQ(script.last().headers.get("Authorization"), "Bearer hft_abc");
  const auto contexts = load_contexts(system.files, stored);
  ASSERT_TRUE(contexts);
  EXPECT_EQ(contexts->all.at("default").token, "hft_abc");
  EXPECT_EQ(contexts->all.at("default").server, "https://h.example:8443");
  EXPECT_THAT(contexts->all.at("default").ca_pem, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(terminal.said, Not(HasSubstr("hft_abc")));
  script.on("GET /v1/version", Scripted{});
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_EQ(script.targets.back().url, "https://h.example:8443");
}

TEST_F(LoginTest, ANameAndAPassword) {
  terminal.tty = true;
  terminal.typed = {"ann", "correct horse battery"};
  script.on("POST /v1/session",
            Scripted{201, "{}", {{"Set-Cookie", "__Host-holdfast=c00kie; Path=/; Secure"}}});
  EXPECT_EQ(run({"login", "https://h.example:8443", "--ca", "/ca.pem"}), 0);
  EXPECT_TRUE(terminal.asked_hidden);
  EXPECT_EQ(load_contexts(system.files, stored)->all.at("default").cookie, "c00kie");
  script.on("DELETE /v1/session", Scripted{204, ""});
  EXPECT_EQ(run({"logout"}), 0);
  EXPECT_EQ(script.last().headers.get("Cookie"), "__Host-holdfast=c00kie");
  EXPECT_EQ(load_contexts(system.files, stored)->all.at("default").cookie, "");
}

TEST_F(LoginTest, AFailureStoresNothing) {
  put("/token", "hft_wrong");
  script.answers.clear();
  script.on("GET /v1/session", Scripted{401, R"({"code":"unauthenticated","title":"t"})"});
  EXPECT_EQ(run({"login", "https://h.example:8443", "--ca", "/ca.pem", "--token-file", "/token"}),
            4);
  EXPECT_EQ(file(stored), "(none)");
  EXPECT_EQ(run({"login", "https://h.example:8443", "--fingerprint", "abc"}), 2);
  EXPECT_EQ(run({"login"}), 2);
}

TEST_F(LoginTest, ContextsAreChosenAndForgotten) {
  put("/token", "hft_abc");
  EXPECT_EQ(run({"login", "https://a.example", "--ca", "/ca.pem", "--token-file", "/token"}), 0);
  EXPECT_EQ(run({"login", "https://b.example", "--ca", "/ca.pem", "--token-file", "/token",
                 "--context", "b"}),
            0);
  EXPECT_EQ(run({"context", "list"}), 0);
  EXPECT_EQ(terminal.printed, "b\thttps://b.example\tyes\ndefault\thttps://a.example\t\n");
  EXPECT_EQ(run({"context", "use", "default"}), 0);
  EXPECT_EQ(run({"context", "use", "c"}), 3);
  EXPECT_EQ(run({"context", "remove", "default"}), 0);
  EXPECT_EQ(load_contexts(system.files, stored)->current, "b");
  put(stored, "{");
  EXPECT_NE(run({"context", "list"}), 0);
  EXPECT_THAT(terminal.said, HasSubstr(stored));
}

}  // namespace
}  // namespace holdfast::cli
