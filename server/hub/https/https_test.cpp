#include "server/hub/https/https.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "libs/est/est.hpp"
#include "libs/http/client.hpp"
#include "libs/wire/json.hpp"
#include "server/hub/testing/hub_world.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;
using namespace std::string_literals;
using ::testing::HasSubstr;

struct Answer {
  int status = 0;
  http::Headers headers;
  std::string body;
  std::string header(std::string_view name) const {
    return std::string(headers.get(name).value_or(""));
  }
  std::string code() const {
    const auto json = wire::parse_json(body);
    if (!json || !json->is_object() || !json->get_object().contains("code")) return "";
    return std::string(json->get_object().at("code").as_string());
  }
};

// One device, or somebody without a certificate, who asks.
class Asker {
 public:
  Asker(HubWorld& world, std::uint8_t number)
      : world_(world),
        node_(number == 0 ? world.machine.world.node("stranger") : world.node_of(number)),
        transport_(crypto::make_plain_transport(node_.system().network, metrics_)) {
    crypto::ClientSettings settings;
    settings.trust_der = world.pki.trust();
    if (number != 0) settings.credential = world.credential_of(number);
    client_ = std::make_unique<http::Client>(node_.loop(), *transport_, world.https, settings);
  }

  std::shared_ptr<std::optional<Answer>> begin(std::string method, std::string target,
                                               std::string_view body = "",
                                               http::Headers headers = {}) {
    auto out = std::make_shared<std::optional<Answer>>();
    http::ClientRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = bytes_of(body);
    request.headers = std::move(headers);
    client_->send(std::move(request), [out](Result<http::ClientResponse> result) {
      ASSERT_TRUE(result) << result.error().text();
      *out = Answer{result->status, result->headers, string_of(result->body)};
    });
    return out;
  }
  Answer ask(std::string method, std::string target, std::string_view body = "",
             http::Headers headers = {}) {
    const auto out = begin(std::move(method), std::move(target), body, std::move(headers));
    EXPECT_TRUE(world_.until([&] { return out->has_value(); }, seconds(70)));
    return out->value_or(Answer{});
  }
  Answer post_json(std::string target, std::string_view body) {
    return ask("POST", std::move(target), body, {{"Content-Type", "application/json"}});
  }

 private:
  HubWorld& world_;
  os::sim::Node& node_;
  Metrics metrics_;
  std::unique_ptr<crypto::Transport> transport_;
  std::unique_ptr<http::Client> client_;
};

std::string basic(std::string_view user_and_password) {
  return "Basic " + to_base64(view_of(user_and_password));
}

const std::string kCsr = "TUlJQg==\n";  // identity is a fake: any base64 will do

class HttpsTest : public ::testing::Test {
 protected:
  HubWorld world;
  DeviceId one = HubWorld::id_of(1);
  Asker device{world, 1};
  Asker stranger{world, 0};

  void created() { world.notice("command.created", "{\"device_id\":\"" + one.text() + "\"}"); }
};

TEST_F(HttpsTest, the_table_is_of_one_piece) {
  std::set<std::string_view> ids, ways;
  for (const auto& route : device_routes()) {
    EXPECT_TRUE(ids.insert(route.id).second) << route.id;
    EXPECT_TRUE(ways.insert(std::string_view(route.method) == "GET" ? route.path : route.id).second)
        << route.id;
    EXPECT_NE(route.serve, nullptr) << route.id;
    const bool bodiless = route.id == "device_ack" || route.id == "attest_check_begin";
    EXPECT_EQ(route.method == "GET", route.body_max == 0 && !bodiless) << route.id;
    // What proves a device that has no certificate yet takes none.
    if (route.path.starts_with("/device/") && !route.path.starts_with("/device/v1/attestation")) {
      // What a decommissioned device still may ask for, it asks with a revoked certificate.
      const bool last = route.path == "/device/v1/erase";
      EXPECT_EQ(route.takes, last ? Takes::key : Takes::certificate) << route.id;
    }
  }
}

TEST_F(HttpsTest, every_device_route_wants_a_certificate) {
  for (const auto& route : device_routes()) {
    if (route.takes != Takes::certificate && route.takes != Takes::renewal) continue;
    const auto answer = stranger.ask(std::string(route.method), std::string(route.path));
    EXPECT_EQ(answer.status, 401) << route.id;
    EXPECT_EQ(answer.code(), "certificate-required") << route.id;
  }
}

TEST_F(HttpsTest, a_quarantined_device_may_renew_and_nothing_else) {
  world.identity.refused[one] = Code::device_quarantined;
  world.identity.enrol_answer = bytes_of("x");
  for (const auto& route : device_routes()) {
    if (route.takes != Takes::certificate) continue;
    const auto answer = device.ask(std::string(route.method), std::string(route.path));
    EXPECT_EQ(answer.status, 403) << route.id;
    EXPECT_EQ(answer.code(), "device-quarantined") << route.id;
  }
  const auto renewed = device.ask("POST", "/.well-known/est/simplereenroll", kCsr,
                                  {{"Content-Type", "application/pkcs10"}});
  EXPECT_EQ(renewed.status, 200);
  world.identity.refused[one] = Code::device_revoked;
  const auto refused = device.ask("POST", "/.well-known/est/simplereenroll", kCsr,
                                  {{"Content-Type", "application/pkcs10"}});
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(world.identity.renewals.size(), 1U);
}

TEST_F(HttpsTest, the_order_to_erase_is_fetched_and_proved_with_a_revoked_certificate) {
  world.identity.refused[one] = Code::device_decommissioned;
  EXPECT_EQ(device.ask("GET", "/device/v1/erase").status, 404) << "nothing is ordered";
  world.identity.erase = identity::EraseOrder{one, std::string(64, 'a'), {}};
  const auto order = device.ask("GET", "/device/v1/erase");
  EXPECT_EQ(order.status, 200);
  EXPECT_THAT(order.body, HasSubstr(std::string(64, 'a')));
  EXPECT_EQ(
      device.post_json("/device/v1/erase", R"({"statement":"e30=","signature":"AAEC"})").status,
      204);
  ASSERT_EQ(world.identity.proofs.size(), 1U);
  EXPECT_EQ(world.identity.proofs[0].first, "{}");
  for (const char* bad : {"{}", "[]", "x", R"({"statement":"!","signature":"AAEC"})"}) {
    EXPECT_EQ(device.post_json("/device/v1/erase", bad).code(), "payload-malformed") << bad;
  }
  EXPECT_EQ(stranger.ask("GET", "/device/v1/erase").status, 401);
}

TEST_F(HttpsTest, who_has_no_claim_may_be_told_to_wait) {
  const http::Headers pkcs10{{"Content-Type", "application/pkcs10"}};
  const std::string path = "/.well-known/est/simpleenroll";
  const auto off = stranger.ask("POST", path, kCsr, pkcs10);
  EXPECT_EQ(off.status, 401);
  EXPECT_EQ(off.header("WWW-Authenticate"), "Basic realm=\"holdfast\"");
  world.identity.unknown_answer = identity::Waited{std::nullopt, seconds(60)};
  const auto wait = stranger.ask("POST", path, kCsr, pkcs10);
  EXPECT_EQ(wait.status, 202);
  EXPECT_EQ(wait.header("Retry-After"), "60");
  http::Headers libest = pkcs10;
  libest.set("User-Agent", "libest 3.2.0");
  EXPECT_EQ(stranger.ask("POST", path, kCsr, libest).status, 401) << "it only probes";
  libest.set("Authorization", basic("waiting:x"));
  EXPECT_EQ(stranger.ask("POST", path, kCsr, libest).status, 202);
  world.identity.unknown_answer = identity::Waited{bytes_of("x"), {}};
  EXPECT_EQ(stranger.ask("POST", path, kCsr, pkcs10).status, 200);
  world.identity.unknown_answer = fail(Code::forbidden, "an operator refused it");
  EXPECT_EQ(stranger.ask("POST", path, kCsr, pkcs10).status, 403);
  EXPECT_TRUE(world.identity.enrolments.empty()) << "none of them was a claim";
}

TEST_F(HttpsTest, status_of_certificates_is_open_to_all) {
  const auto list = stranger.ask("GET", "/pki/issuing.crl");
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(list.header("Content-Type"), "application/pkix-crl");
  EXPECT_EQ(list.header("Cache-Control"), "public, max-age=60");
  EXPECT_EQ(stranger.ask("GET", "/pki/none.crl").status, 404);
  EXPECT_EQ(stranger.ask("GET", "/ocsp/MAAw").body, "0\x00\x30"s);
  EXPECT_EQ(stranger.ask("GET", "/ocsp/MA/w").body, string_of(*from_base64("MA/w")))
      << "a bare slash of base64";
  const auto posted =
      stranger.ask("POST", "/ocsp", "abc", {{"Content-Type", "application/ocsp-request"}});
  EXPECT_EQ(posted.body, "abc");
  EXPECT_EQ(posted.header("Cache-Control"), "no-store");
}

TEST_F(HttpsTest, messages_reach_their_domains) {
  world.control.add(one, "cmd_1");
  EXPECT_EQ(device.post_json("/device/v1/hello", R"({"version":"a","protocol":1})").status, 204);
  EXPECT_EQ(device.post_json("/device/v1/inventory", "{}").status, 204);
  EXPECT_EQ(device.post_json("/device/v1/event/door", "{}").status, 204);
  EXPECT_EQ(device.post_json("/device/v1/log", R"({"message":"x"})").status, 204);
  EXPECT_EQ(device.post_json("/device/v1/telemetry/lab", R"({"t":1})").status, 204);
  EXPECT_EQ(device
                .ask("POST", "/device/v1/telemetry/lab", "x",
                     {{"Content-Type", "application/senml+cbor"}})
                .status,
            204);
  EXPECT_EQ(
      device.ask("PUT", "/device/v1/twin/reported", "{}", {{"Content-Type", "application/json"}})
          .status,
      204);
  EXPECT_EQ(device.post_json("/device/v1/reply/cmd_1", R"({"status":"ok"})").status, 204);
  EXPECT_EQ(world.devices.hellos.size(), 1U);
  EXPECT_EQ(world.devices.inventories.size(), 1U);
  EXPECT_EQ(world.telemetry.stored.size(), 4U);
  EXPECT_EQ(world.control.reported.size(), 1U);
  EXPECT_EQ(world.control.replies.size(), 1U);
  EXPECT_TRUE(world.devices.last_https.contains(one));
}

TEST_F(HttpsTest, failures_are_problems) {
  world.control.add(one, "cmd_1");
  EXPECT_EQ(device.post_json("/device/v1/hello", "[]").code(), "payload-malformed");
  EXPECT_EQ(device.post_json("/device/v1/telemetry/lab", "malformed").status, 400);
  EXPECT_EQ(device.post_json("/device/v1/reply/cmd_2", "{}").status, 403);
  const auto name = device.post_json("/device/v1/event/a%20b", "{}");
  EXPECT_EQ(name.status, 404);
  EXPECT_EQ(name.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(device.post_json("/device/v1/telemetry/" + std::string(65, 'x'), "{}").status, 404);
  EXPECT_EQ(device.ask("GET", "/nothing").status, 404);
  const auto method = device.ask("DELETE", "/device/v1/twin");
  EXPECT_EQ(method.status, 405);
  EXPECT_THAT(method.header("Allow"), HasSubstr("GET"));
  EXPECT_EQ(device.ask("OPTIONS", "/device/v1/twin").status, 204);
}

TEST_F(HttpsTest, content_types) {
  EXPECT_EQ(device.ask("POST", "/device/v1/hello", "{}", {{"Content-Type", "text/plain"}}).code(),
            "unsupported-media-type");
  EXPECT_EQ(device
                .ask("POST", "/device/v1/telemetry/lab", "{}",
                     {{"Content-Type", "application/x-www-form-urlencoded"}})
                .status,
            415);
  EXPECT_EQ(device
                .ask("POST", "/device/v1/telemetry/lab", "{}",
                     {{"Content-Type", "application/json; charset=utf-8"}})
                .status,
            204);
  EXPECT_EQ(device.ask("POST", "/device/v1/telemetry/lab", "{}").status, 204);
  EXPECT_EQ(
      device.ask("POST", "/device/v1/telemetry/lab", "{}", {{"Content-Encoding", "gzip"}}).status,
      415);
  EXPECT_EQ(stranger
                .ask("POST", "/.well-known/est/simpleenroll", kCsr,
                     {{"Content-Type", "application/json"}})
                .status,
            415);
}

TEST_F(HttpsTest, bodies_have_bounds) {
  EXPECT_EQ(
      device.post_json("/device/v1/telemetry/lab", std::string(kPayloadBytesMax + 1, 'x')).status,
      413);
  EXPECT_EQ(device
                .ask("PUT", "/device/v1/twin/reported", std::string(kTwinBytesMax + 1, 'x'),
                     {{"Content-Type", "application/json"}})
                .code(),
            "body-too-large");
  EXPECT_EQ(stranger
                .ask("POST", "/.well-known/est/simpleenroll", std::string(kCsrBytesMax + 1, 'A'),
                     {{"Content-Type", "application/pkcs10"}})
                .status,
            413);
  EXPECT_TRUE(world.telemetry.stored.empty());
}

TEST_F(HttpsTest, overload_says_when_to_come_back) {
  world.telemetry.room = 0;
  const auto answer = device.post_json("/device/v1/telemetry/lab", "{}");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("Retry-After"), "5");
}

TEST_F(HttpsTest, too_many_requests) {
  std::vector<std::shared_ptr<std::optional<Answer>>> answers;
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < 4; ++i) askers.push_back(std::make_unique<Asker>(world, 1));
  for (int i = 0; i < 700; ++i)
    answers.push_back(askers[static_cast<std::size_t>(i % 4)]->begin("GET", "/device/v1/twin"));
  ASSERT_TRUE(world.until(
      [&] {
        return std::ranges::all_of(answers, [](const auto& each) { return each->has_value(); });
      },
      seconds(60)));
  const auto limited =
      std::ranges::count_if(answers, [](const auto& each) { return (*each)->status == 429; });
  EXPECT_GT(limited, 50);
  EXPECT_LT(limited, 200);
  const auto one_of =
      std::ranges::find_if(answers, [](const auto& each) { return (*each)->status == 429; });
  EXPECT_EQ((**one_of)->header("Retry-After"), "1");
  EXPECT_EQ(stranger.ask("GET", "/healthz").status, 200);
}

TEST_F(HttpsTest, the_twin) {
  const auto none = device.ask("GET", "/device/v1/twin");
  EXPECT_EQ(none.body, R"({"version":0,"desired":{},"reported":{}})");
  world.control.set_twin(one, 7);
  world.control.twins[one].reported = bytes_of(R"({"a":1})");
  const auto answer = device.ask("GET", "/device/v1/twin");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"version":7,"desired":{"v":7},"reported":{"a":1}})");
  EXPECT_EQ(answer.header("ETag"), "\"7\"");
  const auto same = device.ask("GET", "/device/v1/twin", "", {{"If-None-Match", "\"7\""}});
  EXPECT_EQ(same.status, 304);
  EXPECT_TRUE(same.body.empty());
}

// ---- the long poll

TEST_F(HttpsTest, next_answers_at_once) {
  EXPECT_EQ(device.ask("GET", "/device/v1/next").body, R"({"messages":[]})");
  world.control.add(one, "cmd_1");
  world.control.set_twin(one, 3);
  const auto answer = device.ask("GET", "/device/v1/next?wait_s=30");
  EXPECT_EQ(
      answer.body,
      R"({"messages":[{"id":"twin:3","topic":"twin/desired","payload":{"version":3,"desired":{"v":3}}},)"
      R"({"id":"command:cmd_1","topic":"command/blink/cmd_1","payload":{"payload":null}}]})");
  EXPECT_EQ(world.control.commands[one][0].state, "sent");
  EXPECT_EQ(device.ask("GET", "/device/v1/next").body, answer.body);  // until it is acknowledged
}

TEST_F(HttpsTest, acknowledged_messages_do_not_come_again) {
  world.control.add(one, "cmd_1");
  world.control.set_twin(one, 3);
  device.ask("GET", "/device/v1/next");
  EXPECT_EQ(device.ask("POST", "/device/v1/ack/twin:3").status, 204);
  EXPECT_EQ(device.ask("POST", "/device/v1/ack/command:cmd_1").status, 204);
  EXPECT_EQ(world.control.commands[one][0].state, "delivered");
  EXPECT_EQ(device.ask("POST", "/device/v1/ack/command:cmd_1").status, 204);  // again is fine
  EXPECT_EQ(device.ask("GET", "/device/v1/next").body, R"({"messages":[]})");
  world.control.set_twin(one, 4);
  EXPECT_THAT(device.ask("GET", "/device/v1/next").body, HasSubstr("twin:4"));
}

TEST_F(HttpsTest, next_waits_until_something_comes) {
  const auto answer = device.begin("GET", "/device/v1/next?wait_s=30");
  world.run(seconds(10));
  EXPECT_FALSE(answer->has_value());
  world.control.add(one, "cmd_1");
  created();
  ASSERT_TRUE(world.until([&] { return answer->has_value(); }, seconds(1)));
  EXPECT_THAT((*answer)->body, HasSubstr("command/blink/cmd_1"));
}

TEST_F(HttpsTest, next_waits_no_longer_than_asked) {
  const auto answer = device.begin("GET", "/device/v1/next?wait_s=5");
  world.run(milliseconds(4'900));
  EXPECT_FALSE(answer->has_value());
  ASSERT_TRUE(world.until([&] { return answer->has_value(); }, milliseconds(200)));
  EXPECT_EQ((*answer)->body, R"({"messages":[]})");
}

TEST_F(HttpsTest, a_second_poll_ends_the_first) {
  const auto first = device.begin("GET", "/device/v1/next?wait_s=30");
  world.run(seconds(1));
  const auto second = device.begin("GET", "/device/v1/next?wait_s=30");
  ASSERT_TRUE(world.until([&] { return first->has_value(); }, seconds(1)));
  EXPECT_EQ((*first)->body, R"({"messages":[]})");
  EXPECT_FALSE(second->has_value());
  world.control.add(one, "cmd_1");
  created();
  ASSERT_TRUE(world.until([&] { return second->has_value(); }, seconds(1)));
  EXPECT_THAT((*second)->body, HasSubstr("cmd_1"));
}

TEST_F(HttpsTest, quarantine_ends_a_poll) {
  const auto poll = device.begin("GET", "/device/v1/next?wait_s=30");
  world.run(seconds(1));
  world.identity.refused[one] = Code::device_quarantined;
  world.notice("device.quarantined", "{\"device_id\":\"" + one.text() + "\",\"reason\":\"odd\"}");
  ASSERT_TRUE(world.until([&] { return poll->has_value(); }, seconds(1)));
  EXPECT_EQ(device.ask("GET", "/device/v1/next").status, 403);
}

TEST_F(HttpsTest, the_end_of_the_certificate_ends_a_poll) {
  world.identity.ends_at = world.machine.world.wall() + seconds(10);
  const auto poll = device.begin("GET", "/device/v1/next?wait_s=55");
  world.run(seconds(9));
  EXPECT_FALSE(poll->has_value());
  ASSERT_TRUE(world.until([&] { return poll->has_value(); }, seconds(2)));
  EXPECT_EQ((*poll)->code(), "certificate-expired");
}

TEST_F(HttpsTest, stopping_ends_a_poll) {
  const auto poll = device.begin("GET", "/device/v1/next?wait_s=55");
  world.run(seconds(1));
  bool stopped = false;
  world.hub->stop(seconds(5), world.machine.node.loop(), [&] { stopped = true; });
  ASSERT_TRUE(world.until([&] { return stopped && poll->has_value(); }, seconds(2)));
  EXPECT_EQ((*poll)->body, R"({"messages":[]})");
}

TEST_F(HttpsTest, wait_s_is_checked) {
  for (const auto* wait : {"56", "-1", "x", "1.5", ""}) {
    const auto answer = device.ask("GET", std::string("/device/v1/next?wait_s=") + wait);
    EXPECT_EQ(answer.status, 422) << wait;
  }
}

TEST_F(HttpsTest, at_most_sixteen_at_a_time_oldest_first) {
  for (int i = 0; i < 20; ++i) world.control.add(one, "cmd_" + std::to_string(i));
  const auto body = device.ask("GET", "/device/v1/next").body;
  const auto json = wire::parse_json(body);
  const auto& messages = json->get_object().at("messages").as_array();
  ASSERT_EQ(messages.size(), 16U);
  EXPECT_EQ(messages[0].at("id").as_string(), "command:cmd_0");
  EXPECT_EQ(world.control.commands[one][16].state, "queued");
}

TEST_F(HttpsTest, what_is_past_its_deadline_or_withdrawn_is_left_out) {
  world.control.add(one, "cmd_1", world.machine.world.wall());
  world.control.add(one, "cmd_2");
  world.control.add(one, "cmd_3");
  world.control.commands[one][1].state = "cancelled";
  const auto body = device.ask("GET", "/device/v1/next").body;
  EXPECT_THAT(body, HasSubstr("cmd_3"));
  EXPECT_EQ(body.find("cmd_1"), std::string::npos);
  EXPECT_EQ(body.find("cmd_2"), std::string::npos);
}

// ---- enrolment

TEST_F(HttpsTest, ca_certificates_are_open_to_all) {
  const auto answer = stranger.ask("GET", "/.well-known/est/cacerts");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/pkcs7-mime");
  EXPECT_EQ(answer.header("Content-Transfer-Encoding"), "base64");
  const auto certificates = est::parse_certificates_body(view_of(answer.body));
  ASSERT_TRUE(certificates);
  EXPECT_EQ(*certificates, world.identity.trust);
}

TEST_F(HttpsTest, csr_attributes) {
  const auto answer = stranger.ask("GET", "/.well-known/est/csrattrs");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/csrattrs");
  EXPECT_EQ(answer.body, est::csr_attributes_body(""));
}

TEST_F(HttpsTest, enrolment_takes_a_claim_by_http_basic) {
  world.identity.enrol_answer = world.pki.root_der();
  const auto bare = stranger.ask("POST", "/.well-known/est/simpleenroll", kCsr,
                                 {{"Content-Type", "application/pkcs10"}});
  EXPECT_EQ(bare.status, 401);
  EXPECT_EQ(bare.header("WWW-Authenticate"), "Basic realm=\"holdfast\"");
  EXPECT_TRUE(world.identity.enrolments.empty());
  const auto answer = stranger.ask(
      "POST", "/.well-known/est/simpleenroll", kCsr,
      {{"Content-Type", "application/pkcs10"}, {"Authorization", basic("claim:hfc_secret:x")}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/pkcs7-mime; smime-type=certs-only");
  EXPECT_EQ(answer.header("Content-Transfer-Encoding"), "base64");
  EXPECT_EQ(est::parse_certificates_body(view_of(answer.body))->front(), world.pki.root_der());
  ASSERT_EQ(world.identity.enrolments.size(), 1U);
  EXPECT_EQ(world.identity.enrolments[0].claim, "hfc_secret:x");
  EXPECT_EQ(world.identity.enrolments[0].csr_der, bytes_of("MIIB"));
  EXPECT_TRUE(world.identity.enrolments[0].peer_address.starts_with("10.0.0."));
  EXPECT_NE(world.identity.enrolments[0].peer_address.find(":"), std::string::npos)
      << "with its port";
}

TEST_F(HttpsTest, refusals_of_enrolment) {
  const auto enrol = [&](std::string authorization, std::string_view csr) {
    return stranger.ask(
        "POST", "/.well-known/est/simpleenroll", csr,
        {{"Content-Type", "application/pkcs10"}, {"Authorization", std::move(authorization)}});
  };
  for (const auto* authorization : {"Bearer x", "Basic %%%", "Basic", ""}) {
    EXPECT_EQ(enrol(authorization, kCsr).status, 401) << authorization;
  }
  EXPECT_EQ(enrol(basic("admin:x"), kCsr).status, 401);
  EXPECT_EQ(enrol(basic("claim"), kCsr).status, 401);
  EXPECT_EQ(enrol(basic("claim:x"), "!!!").code(), "csr-malformed");
  EXPECT_TRUE(world.identity.enrolments.empty());
  world.identity.enrol_answer = fail(Code::claim_spent, "spent");
  EXPECT_EQ(enrol(basic("claim:x"), kCsr).code(), "claim-spent");
  world.identity.enrol_answer = fail(Code::claim_unknown, "unknown");
  EXPECT_EQ(enrol("basic " + to_base64(bytes_of("claim:x")), kCsr).header("WWW-Authenticate"),
            "Basic realm=\"holdfast\"");
  world.identity.enrol_answer = fail(Code::rate_limited, "too many");
  const auto limited = enrol(basic("claim:x"), kCsr);
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.header("Retry-After"), "60");
}

// ---- downloads

TEST_F(HttpsTest, health) {
  EXPECT_EQ(stranger.ask("GET", "/healthz").body, R"({"status":"ok"})");
}

TEST(HttpsDownloads, the_agent_with_its_digest) {
  HubWorld world;
  std::string program(700'000, 'a');
  program += "end";
  ASSERT_TRUE(os::replace_file(world.machine.node.system().files, "/agent-x", view_of(program)));
  world.crash(os::sim::Crash::process);
  world.options.downloads = core::Downloads::make(
      world.machine.node.system().files,
      {{"linux-x86_64", "/agent-x"}, {"linux-aarch64", "/missing"}}, world.machine.log);
  world.start();
  Asker stranger(world, 0);
  const auto answer = stranger.ask("GET", "/agent/linux-x86_64/holdfast-agent");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, program);
  EXPECT_EQ(answer.header("Content-Length"), std::to_string(program.size()));
  EXPECT_EQ(answer.header("Repr-Digest"),
            "sha-256=:" + to_base64(crypto::sha256(view_of(program))) + ":");
  EXPECT_EQ(stranger
                .ask("GET", "/agent/linux-x86_64/holdfast-agent", "",
                     {{"If-None-Match", answer.header("ETag")}})
                .status,
            304);
  const auto head = stranger.ask("HEAD", "/agent/linux-x86_64/holdfast-agent");
  EXPECT_EQ(head.header("Content-Length"), std::to_string(program.size()));
  EXPECT_TRUE(head.body.empty());
  EXPECT_EQ(stranger.ask("GET", "/agent/linux-aarch64/holdfast-agent").status, 404);
  EXPECT_THAT(world.machine.log_lines, HasSubstr("linux-aarch64"));
}

TEST(RequestRates, wait_and_forget) {
  RequestRates rates({1, 2});
  const MonoTime now{1'000'000};
  EXPECT_EQ(rates.take(device_number(1), now), Duration{});
  EXPECT_EQ(rates.take(device_number(1), now), Duration{});
  EXPECT_GT(rates.take(device_number(1), now), milliseconds(999));
  EXPECT_EQ(rates.take(device_number(2), now), Duration{});
  EXPECT_EQ(rates.take(device_number(1), now + seconds(2)), Duration{});
}

}  // namespace
}  // namespace holdfast::hub
