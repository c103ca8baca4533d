#include "server/api/agent_routes.hpp"

#include "libs/crypto/hash.hpp"
#include "server/api/api_fixture_test.hpp"
#include "server/api/audit_routes.hpp"

namespace holdfast::api {
namespace {

using ::testing::HasSubstr;

class AgentRoutes : public ApiTest {
 protected:
  void SetUp() override {
    program.assign(200'000, 'x');
    ASSERT_TRUE(os::replace_file(t.system().files, "/data/agent", program));
    auto loaded = load_agent(t.system().files, "linux-x86_64", "/data/agent");
    ASSERT_TRUE(loaded) << loaded.error().text();
    downloads.all.push_back(std::move(*loaded));
    downloads.version = "1.2.3";
    downloads.device_url = [] { return "https://plant.example:8444"; };
    downloads.ca_pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    downloads.ca_fingerprint = "abab";
    ASSERT_TRUE(add_agent_routes(operations, downloads));
  }
  Bytes program;
  AgentDownloads downloads;
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
  EXPECT_EQ(load_agent(t.system().files, "linux-aarch64", "/data/missing").error().code,
            Code::not_found);
}

// ---- the audit's entries

class AuditRoutes : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(add_audit_routes(operations, t.store()));
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(t.store().change(core::Caller::system("req_7"), i % 2 ? "odd" : "even",
                                   [&](core::Change& change) {
                                     return change.audit("dev_" + std::to_string(i),
                                                         i == 0 ? "" : R"({"n":1})", R"({"n":2})");
                                   }));
    }
  }
  std::vector<std::int64_t> walk(std::string query) {
    std::vector<std::int64_t> out;
    std::string cursor;
    for (int pages = 0; pages < 20; ++pages) {
      const Answered page =
          admin("GET", "/v1/audit?limit=2" + query + (cursor.empty() ? "" : "&cursor=" + cursor));
      EXPECT_EQ(page.status, 200) << page.body;
      const wire::Json json = page.json();
      for (const auto& item : json.get_object().at("items").get_array()) {
        out.push_back(item.get_object().at("seq").to_number<std::int64_t>());
      }
      const auto* next = json.get_object().at("next_cursor").if_string();
      if (!next) return out;
      cursor = *next;
    }
    ADD_FAILURE() << "the pages do not end";
    return out;
  }
};

TEST_F(AuditRoutes, PagesGoBothWaysWithoutGaps) {
  const auto all = walk("");
  ASSERT_GE(all.size(), 5U);
  EXPECT_TRUE(std::ranges::is_sorted(all, std::greater<>{}));
  EXPECT_EQ(all.back(), 0);
  auto forward = walk("&from_seq=0");
  std::ranges::reverse(forward);
  EXPECT_EQ(forward, all);
  EXPECT_EQ(walk("&from_seq=1&to_seq=3").size(), 3U);
  EXPECT_EQ(walk("&action=odd").size(), 2U);
  EXPECT_EQ(walk("&object=dev_3").size(), 1U);
}

TEST_F(AuditRoutes, AnEntryShowsWhatWasDone) {
  const std::string body = admin("GET", "/v1/audit?object=dev_1").body;
  EXPECT_THAT(
      body,
      HasSubstr(
          R"("actor":"system","action":"odd","object":"dev_1","before":{"n":1},"after":{"n":2},"request_id":"req_7")"));
  EXPECT_THAT(admin("GET", "/v1/audit?object=dev_0").body, HasSubstr(R"("before":null)"));
  EXPECT_EQ(admin("GET", "/v1/audit?from_seq=x").code(), "invalid-argument");
  EXPECT_EQ(admin("GET", "/v1/audit?from_seq=18446744073709551615").code(), "invalid-argument");
  EXPECT_EQ(ask({"GET", "/v1/audit", "", token({core::Role::operator_})}).status, 403);
}

}  // namespace
}  // namespace holdfast::api
