#include "server/api/agent_routes.hpp"

#include "libs/crypto/hash.hpp"
#include "server/api/api_fixture_test.hpp"

namespace holdfast::api {
namespace {

using ::testing::HasSubstr;

class AgentRoutes : public ApiTest {
 protected:
  void SetUp() override {
    program.assign(200'000, 'x');
    ASSERT_TRUE(os::replace_file(t.system().files, "/data/agent", program));
    page.downloads = core::Downloads::make(
        t.system().files, {{"linux-x86_64", "/data/agent"}, {"linux-aarch64", "/data/missing"}},
        t.log);
    page.version = "1.2.3";
    page.device_url = [] { return "https://plant.example:8444"; };
    page.ca_pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    page.ca_fingerprint = "abab";
    ASSERT_TRUE(add_agent_routes(operations, page));
  }
  Bytes program;
  AgentPage page;
};

TEST_F(AgentRoutes, TheProgramIsWhatItsDigestSays) {
  // Replaced meanwhile: what was digested is what is sent.
  ASSERT_TRUE(os::replace_file(t.system().files, "/data/agent", bytes_of("another")));
  const Answered sent = ask({"GET", "/agent/linux-x86_64/holdfast-agent"});
  EXPECT_EQ(sent.status, 200) << "open to all";
  EXPECT_EQ(bytes_of(sent.body), program);
  EXPECT_EQ(sent.headers.get("Repr-Digest"),
            "sha-256=:" + to_base64(crypto::sha256(program)) + ":");
  EXPECT_EQ(ask({"GET", "/agent/plan9-mips/holdfast-agent"}).code(), "not-found");
  const Answered again = ask({"GET",
                              "/agent/linux-x86_64/holdfast-agent",
                              "",
                              "",
                              {{"If-None-Match", std::string(*sent.headers.get("ETag"))}}});
  EXPECT_EQ(again.status, 304) << "who has it needs it not";
  EXPECT_EQ(again.body, "");
}

TEST_F(AgentRoutes, TheCommandsAreForThisServer) {
  const Answered answered = admin("GET", "/v1/agent");
  EXPECT_EQ(ask({"GET", "/v1/agent"}).status, 401);
  EXPECT_THAT(answered.body,
              HasSubstr("curl -fsSk -o holdfast-agent "
                        "https://plant.example:8444/agent/linux-x86_64/holdfast-agent"));
  EXPECT_THAT(answered.body, HasSubstr("echo '" + to_hex(crypto::sha256(program)) +
                                       "  holdfast-agent' | sha256sum -c"));
  EXPECT_THAT(answered.body, HasSubstr("'{code}'"));
  EXPECT_THAT(answered.body, HasSubstr("\"ca_fingerprint_sha256\":\"abab\""));
  EXPECT_THAT(answered.body, ::testing::Not(HasSubstr("localhost")));
}

TEST_F(AgentRoutes, AMissingFileIsNoAgent) {
  EXPECT_THAT(t.log_lines, HasSubstr("linux-aarch64"));
  EXPECT_EQ(ask({"GET", "/agent/linux-aarch64/holdfast-agent"}).code(), "not-found");
  EXPECT_THAT(admin("GET", "/v1/agent").body, ::testing::Not(HasSubstr("aarch64")));
}

}  // namespace
}  // namespace holdfast::api
