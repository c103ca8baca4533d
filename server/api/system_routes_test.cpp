#include "server/api/system_routes.hpp"

#include "server/api/api_fixture_test.hpp"
#include "server/api/problem_page.hpp"

namespace holdfast::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr config::Setting kSchema[] = {
    {"data", config::Type::path, "/var/lib/x", "Where data lies."},
    {"limits.bodies", config::Type::integer, "5", "How many.", 0, 10},
    {"limits.size", config::Type::size, "1MiB", "How large."},
    {"retention", config::Type::duration, "90s", "How long."},
    {"names", config::Type::list, "a,b", "Which."},
    {"quiet", config::Type::boolean, "true", "Whether."},
    {"sql.url", config::Type::text, "secret-url", "Where.", INT64_MIN, INT64_MAX, {}, true},
};

class SystemRoutes : public ApiTest {
 protected:
  void SetUp() override {
    config::Inputs inputs;
    inputs.arguments = {"--limits-bodies", "7"};
    auto loaded = config::load(kSchema, inputs);
    ASSERT_TRUE(loaded) << loaded.error().text();
    configuration = loaded->config;
    info.version = "1.2.3";
    info.commit = "abc";
    info.ready = [this]() -> Status { return ready; };
    ASSERT_TRUE(add_system_routes(operations, info, t.metrics, configuration));
  }
  SystemInfo info;
  Status ready;
  config::Config configuration;
};

TEST_F(SystemRoutes, HealthAndReadinessAreOpenToAll) {
  EXPECT_EQ(ask({"GET", "/healthz"}).body, R"({"status":"ok"})");
  EXPECT_EQ(ask({"GET", "/readyz"}).status, 200);
  ready = fail(Code::disk_full, "the journal cannot write");
  const Answered answered = ask({"GET", "/readyz"});
  EXPECT_EQ(answered.status, 503);
  EXPECT_EQ(answered.code(), "unavailable");
  EXPECT_THAT(answered.body, HasSubstr("the journal cannot write"));
  EXPECT_EQ(ask({"GET", "/healthz"}).status, 200);
}

TEST_F(SystemRoutes, VersionNeedsSomeone) {
  EXPECT_EQ(ask({"GET", "/v1/version"}).status, 401);
  EXPECT_THAT(admin("GET", "/v1/version").body,
              HasSubstr(R"("version":"1.2.3","commit":"abc","api":"1.0.0")"));
}

TEST_F(SystemRoutes, MetricsAreText) {
  const Answered answered = admin("GET", "/metrics");
  EXPECT_THAT(answered.body, HasSubstr("# TYPE holdfast_api_answers_total counter"));
  EXPECT_EQ(answered.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(SystemRoutes, ConfigurationSaysWhereItComesFromAndHidesSecrets) {
  const std::string body = admin("GET", "/v1/config").body;
  EXPECT_THAT(
      body,
      HasSubstr(
          R"({"key":"limits.bodies","value":7,"source":"flag","secret":false,"description":"How many."})"));
  EXPECT_THAT(body, HasSubstr(R"({"key":"data","value":"/var/lib/x","source":"default")"));
  EXPECT_THAT(body, HasSubstr(R"("key":"limits.size","value":1048576)"));
  EXPECT_THAT(body, HasSubstr(R"("key":"names","value":["a","b"])"));
  EXPECT_THAT(body, HasSubstr(R"("key":"quiet","value":true)"));
  EXPECT_THAT(body, HasSubstr(R"("key":"sql.url","value":null,"source":"default","secret":true)"));
  EXPECT_THAT(body, Not(HasSubstr("secret-url")));
}

TEST_F(SystemRoutes, EveryProblemHasAPage) {
  for (const CodeRow& row : kCodeTable) {
    const Answered page = ask({"GET", "/problems/" + std::string(row.name)});
    EXPECT_EQ(page.status, 200) << row.name;
    EXPECT_THAT(page.body, HasSubstr("<h1>")) << row.name;
    EXPECT_EQ(page.headers.get("Content-Type"), "text/html; charset=utf-8");
  }
  const Answered text = ask({"GET", "/problems/forbidden", "", "", {{"Accept", "text/markdown"}}});
  EXPECT_THAT(text.body, ::testing::StartsWith("# Permission is missing\n\n`forbidden`\n"));
  EXPECT_EQ(ask({"GET", "/problems/forbidden", "", "", {{"Accept", "image/png"}}}).code(),
            "not-acceptable");
  EXPECT_EQ(ask({"GET", "/problems/unheard-of"}).code(), "not-found");
}

}  // namespace
}  // namespace holdfast::api
