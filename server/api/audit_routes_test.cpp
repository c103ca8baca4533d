#include "server/api/audit_routes.hpp"

#include "libs/crypto/key.hpp"
#include "server/api/api_fixture_test.hpp"

namespace holdfast::api {
namespace {

using ::testing::HasSubstr;

class AuditRoutes : public ApiTest {
 protected:
  void SetUp() override {
    tree_workers = t.system().threads.start_workers("audit", 1, 64);
    auto made = core::AuditLog::make(t.store(), t.system(), *tree_workers, t.log, t.metrics,
                                     {"/data/audit", "/checkpoints"});
    ASSERT_TRUE(made) << made.error().text();
    tree = std::move(*made);
    ASSERT_TRUE(tree->start());
    ASSERT_TRUE(add_audit_routes(operations, t.store(), *tree));
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(t.store().change(core::Caller::system("req_7"), i % 2 ? "odd" : "even",
                                   [&](core::Change& change) {
                                     return change.audit("dev_" + std::to_string(i),
                                                         i == 0 ? "" : R"({"n":1})", R"({"n":2})");
                                   }));
    }
  }
  void TearDown() override {
    tree.reset();
    tree_workers.reset();
  }
  std::unique_ptr<os::Workers> tree_workers;
  std::unique_ptr<core::AuditLog> tree;
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

TEST_F(AuditRoutes, AProofHoldsWithoutTheServer) {
  const Answered answered = admin("GET", "/v1/audit/3/proof");
  ASSERT_EQ(answered.status, 200) << answered.body;
  const wire::Json json = answered.json();
  const auto& proof = json.get_object();
  const auto bytes = [](const wire::JsonObject& object, std::string_view name) {
    return *from_base64(object.at(name).get_string());
  };
  // The leaf, then up the path as RFC 9162 2.1.3.2 says.
  const Bytes entry = bytes(proof, "entry_base64");
  EXPECT_EQ(to_hex(tlog::leaf_hash(entry)), std::string(proof.at("leaf_hash").get_string()));
  std::vector<tlog::Hash> path;
  for (const auto& text : proof.at("inclusion_path").get_array()) {
    const Bytes hash = *from_hex(text.get_string());
    ASSERT_EQ(hash.size(), 32U);
    std::ranges::copy(hash, path.emplace_back().begin());
  }
  const auto& checkpoint = proof.at("checkpoint").get_object();
  const auto size = checkpoint.at("tree_size").to_number<std::uint64_t>();
  const auto root = tlog::root_from_path(tlog::leaf_hash(entry), 3, size, path);
  ASSERT_TRUE(root);
  EXPECT_EQ(to_hex(*root), std::string(checkpoint.at("root_hash").get_string()));
  const Bytes text = bytes(checkpoint, "signed_base64");
  EXPECT_THAT(string_of(text), HasSubstr(to_base64(*root)));
  const auto key = crypto::PublicKey::from_pem(checkpoint.at("public_key").get_string());
  ASSERT_TRUE(key) << key.error().text();
  EXPECT_TRUE(key->verify(text, bytes(checkpoint, "signature_base64")));
  EXPECT_EQ(admin("GET", "/v1/audit/99/proof").code(), "not-found");
  EXPECT_EQ(admin("GET", "/v1/audit/x/proof").code(), "not-found");
}

TEST_F(AuditRoutes, VerifyTellsWhatItFound) {
  const std::string note(admin("GET", "/v1/audit/4/proof")
                             .json()
                             .get_object()
                             .at("checkpoint")
                             .get_object()
                             .at("note")
                             .get_string());
  const std::string request =
      wire::json_text(wire::JsonObject{{"checkpoints", wire::JsonArray{wire::Json(note)}}});
  const Answered fine = admin("POST", "/v1/audit/verify", request);
  EXPECT_THAT(fine.body, HasSubstr(R"("ok":true)"));
  EXPECT_THAT(fine.body, HasSubstr(R"("first_bad_seq":null,"finding":null)"));
  EXPECT_THAT(admin("GET", "/v1/audit/checkpoint").body, HasSubstr("\"tree_size\""));
  ASSERT_TRUE(t.database().write([](sql::Tx& tx) -> Status {
    TRY(tx.exec("UPDATE audit SET actor = 'someone' WHERE seq = 2", {}));
    return {};
  }));
  const Answered edited = admin("POST", "/v1/audit/verify", "{}");
  EXPECT_EQ(edited.status, 200) << "a broken audit is a result, not an error";
  EXPECT_THAT(edited.body, HasSubstr(R"("ok":false)"));
  EXPECT_THAT(edited.body, HasSubstr(R"("first_bad_seq":2,"finding":"edited")"));
  EXPECT_EQ(admin("POST", "/v1/audit/verify", R"({"checkpoints":[5]})").code(), "invalid-argument");
  EXPECT_EQ(admin("POST", "/v1/audit/verify", R"({"from_seq":-1})").code(), "invalid-argument");
  EXPECT_EQ(admin("POST", "/v1/audit/verify", R"({"x":1})").code(), "unknown-field");
}

}  // namespace
}  // namespace holdfast::api
