#include "server/app/app.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/app/fixture_test.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"

namespace holdfast::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(App, StartsServesAndStops) {
  os::sim::Simulation world(1);
  Server server(world, "/data", 8443);
  const auto ready = server.start();
  ASSERT_TRUE(ready) << ready.error().text();
  EXPECT_EQ(ready->api, "https://localhost:8443");
  EXPECT_EQ(ready->mqtt, "127.0.0.1:8444");
  EXPECT_EQ(ready->device, "https://127.0.0.1:8445");
  EXPECT_EQ(ready->ca, "/data/ca/root.pem");
  EXPECT_EQ(ready->pki, "") << "nothing in the clear unless it is asked for";
  EXPECT_TRUE(server.has("/data/admin-token")) << "before the ready line";
  EXPECT_THAT(server.file("/data/setup-link"), StartsWith("https://localhost:8443/setup#"));
  {
    Peer person(server, "person", 0);
    EXPECT_EQ(person.ask("GET", "/healthz").status, 200);
    EXPECT_EQ(person.ask("GET", "/readyz").status, 200);
    EXPECT_EQ(person.ask("GET", "/v1/devices").status, 401);
    EXPECT_EQ(person.admin("GET", "/v1/devices").status, 200);
  }
  EXPECT_TRUE(server.stop());
}

TEST(App, WhatWasDoneIsThereAfterStopAndAfterAPowerCut) {
  os::sim::Simulation world(2);
  Server server(world, "/data/", 8443);
  ASSERT_TRUE(server.start());
  std::string token;
  {
    Peer person(server, "person", 0);
    person.json(person.admin("POST", "/v1/sites", R"({"name":"Hall 3"})"), 201);
    token = server.file("/data/admin-token");
  }
  ASSERT_TRUE(server.stop());
  ASSERT_TRUE(server.start());
  EXPECT_NE(server.file("/data/admin-token"), token) << "a new one for each start";
  {
    Peer person(server, "person", 0);
    person.json(person.admin("POST", "/v1/sites", R"({"name":"Hall 4"})"), 201);
    server.end(os::sim::Crash::power);
  }
  ASSERT_TRUE(server.start());
  Peer person(server, "person", 0);
  const auto sites = person.json(person.admin("GET", "/v1/sites"), 200);
  EXPECT_EQ(sites.at("items").as_array().size(), 2U);
}

TEST(App, TheSetUpLinkGoesWithTheFirstAdministrator) {
  os::sim::Simulation world(3);
  Server server(world, "/data", 8443);
  ASSERT_TRUE(server.start());
  const std::string link = server.file("/data/setup-link");
  const std::string secret = link.substr(link.find('#') + 1);
  {
    Peer person(server, "person", 0);
    http::Headers headers;
    headers.set("Content-Type", "application/json");
    const auto made = person.ask(
        "POST", "/v1/setup",
        R"({"secret":")" + secret + R"(","name":"ada","password":"correct horse battery"})",
        headers);
    EXPECT_EQ(made.status, 201) << made.text();
  }
  ASSERT_TRUE(server.stop());
  ASSERT_TRUE(server.start());
  EXPECT_FALSE(server.has("/data/setup-link"));
}

TEST(App, RefusesWhatCannotWorkBeforeItListens) {
  os::sim::Simulation world(4);
  Server server(world, "/data", 8443);
  const auto refused = [&](std::vector<std::string> more) {
    const auto ready = server.start(std::move(more));
    EXPECT_FALSE(ready);
    const Error error = ready ? Error{} : ready.error();
    server.end();
    return error;
  };
  EXPECT_EQ(refused({"--pki-public-url", "ftp://x"}).code, Code::invalid_argument);
  EXPECT_EQ(refused({"--pki-public-url", "http://x/"}).code, Code::invalid_argument);
  EXPECT_FALSE(config_of({"--mqtt-listen", "nowhere"})) << "no port";
  EXPECT_FALSE(config_of({"--threads", "many"}));
  EXPECT_FALSE(config_of({"--hub-message-max", "1MiB"})) << "the protocol fixes it";
  EXPECT_TRUE(server.start()) << "and nothing was harmed";
}

TEST(App, TwoCannotHaveOnePort) {
  os::sim::Simulation world(5);
  Server server(world, "/data", 8443);
  const auto ready = server.start({"--mqtt-listen", ":9000", "--device-listen", ":9000"});
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, Code::invalid_argument) << ready.error().text();
  EXPECT_THAT(ready.error().message, HasSubstr("mqtt.listen and device.listen"));
  EXPECT_FALSE(server.has("/data.seal")) << "nothing was made";
  server.end();
  EXPECT_TRUE(server.start());
}

TEST(App, ANewerFolderIsRefused) {
  os::sim::Simulation world(6);
  Server server(world, "/data", 8443);
  ASSERT_TRUE(server.start());
  ASSERT_TRUE(server.stop());
  {
    Metrics metrics;
    sql::SqliteSettings settings;
    settings.path = "/data/holdfast.db";
    auto database = sql::open_sqlite(server.node.system(), metrics, settings);
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->write([](sql::Tx& tx) -> Status {
      TRY(tx.exec("INSERT INTO migration (domain,number,name,at) VALUES ('devices',99,'later',0)"));
      return {};
    }));
  }
  const auto ready = server.start();
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, Code::folder_newer) << ready.error().text();
}

TEST(App, TheNumberOfDevicesIsBounded) {
  os::sim::Simulation world(7);
  Server server(world, "/data", 8443);
  ASSERT_TRUE(server.start({"--limits-devices", "1"}));
  Peer person(server, "person", 0);
  enrol(server, person, "first");
  const auto claim = person.json(person.admin("POST", "/v1/claims", "{}"), 201);
  crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256).value();
  crypto::CsrSpec spec;
  spec.common_name = "second";
  Peer stranger(server, "stranger", 2);
  http::Headers headers;
  headers.set("Authorization",
              "Basic " + to_base64(view_of("claim:" + std::string(claim.at("claim").as_string()))));
  headers.set("Content-Type", std::string(est::kTypePkcs10));
  const auto answer = stranger.ask("POST", "/.well-known/est/simpleenroll",
                                   to_base64(crypto::make_csr(spec, key).value()), headers);
  EXPECT_THAT(std::string(answer.text()), HasSubstr("quota-exceeded"));
}

}  // namespace
}  // namespace holdfast::app
