// The Api as a program meets it: a client on another machine of a simulation.
#include "server/api/api.hpp"

#include "libs/crypto/testing.hpp"
#include "server/api/api_fixture_test.hpp"

namespace holdfast::api {
namespace {

using ::testing::HasSubstr;

class ApiServerTest : public ApiTest {
 protected:
  void SetUp() override {
    transport = crypto::make_plain_transport(t.system().network, t.metrics);
    client_transport = crypto::make_plain_transport(browser.system().network, t.metrics);
    ASSERT_TRUE(operations.add("get_health", [](const core::Call&) -> Result<http::Response> {
      return http::json(200, "{}");
    }));
    ASSERT_TRUE(operations.add("create_site", [](const core::Call& call) -> Result<http::Response> {
      return http::json(201, wire::json_text(call.body));
    }));
    ASSERT_TRUE(operations.add_stream(
        "stream_changes",
        [this](const core::Call&, http::Responder responder) { stream = responder.events(); }));
    Options options;
    options.listen = {"", 8443};
    options.credential = pki.server({t.node.name()});
    options.loops = 2;
    options.workers = 2;
    options.body_max = 5'000;
    auto made =
        Api::make({t.system(), *transport, t.store(), *people, operations, t.log, t.metrics},
                  std::move(options));
    ASSERT_TRUE(made) << made.error().text();
    api = std::move(*made);
    std::optional<Status> started;
    api->start(t.node.loop(), [&](Status status) { started = std::move(status); });
    ASSERT_TRUE(t.world.run_until([&] { return started.has_value(); }, seconds(5)));
    ASSERT_TRUE(*started) << started->error().text();
    client = std::make_unique<http::Client>(browser.loop(), *client_transport,
                                            os::Endpoint{t.node.name(), 8443}, trusting());
  }
  void TearDown() override {
    client.reset();
    stream.reset();
    api.reset();
  }
  crypto::ClientSettings trusting() {
    crypto::ClientSettings settings;
    settings.trust_der = pki.trust();
    settings.server_name = t.node.name();
    return settings;
  }
  Result<http::ClientResponse> send(http::ClientRequest request) {
    std::optional<Result<http::ClientResponse>> out;
    client->send(std::move(request),
                 [&](Result<http::ClientResponse> result) { out = std::move(result); });
    EXPECT_TRUE(t.world.run_until([&] { return out.has_value(); }, seconds(30)));
    return out ? *out : fail(Code::internal, "no answer");
  }
  crypto::testing::Pki pki{t.world.wall()};
  os::sim::Node& browser = t.world.node("browser");
  std::unique_ptr<crypto::Transport> transport, client_transport;
  std::unique_ptr<Api> api;
  std::unique_ptr<http::Client> client;
  std::shared_ptr<http::EventStream> stream;
};

TEST_F(ApiServerTest, AnswersOverTheNetwork) {
  http::ClientRequest request;
  request.target = "/healthz";
  const auto health = send(request);
  ASSERT_TRUE(health) << health.error().text();
  EXPECT_EQ(health->status, 200);
  EXPECT_EQ(health->headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(health->headers.get("Content-Security-Policy"),
            "default-src 'none'; frame-ancestors 'none'");
  EXPECT_TRUE(health->headers.get("X-Request-Id")->starts_with("req_"));
  request.method = "POST";
  request.target = "/v1/sites";
  request.headers = {{"Authorization", "Bearer " + bootstrap},
                     {"Content-Type", "application/json"}};
  request.body = bytes_of(R"({"name":"a"})");
  const auto site = send(request);
  ASSERT_TRUE(site);
  EXPECT_EQ(site->status, 201);
  EXPECT_EQ(site->text(), R"({"name":"a"})");
  request.body = Bytes(5'001, ' ');
  EXPECT_EQ(send(request)->status, 413);
}

TEST_F(ApiServerTest, WarnsOfOperationsWithoutAHandler) {
  EXPECT_THAT(t.log_lines, HasSubstr("list_devices"));
}

TEST_F(ApiServerTest, StreamsFlow) {
  std::string seen;
  http::ClientRequest request;
  request.target = "/v1/stream";
  request.headers = {{"Authorization", "Bearer " + bootstrap}};
  request.on_body = [&](View piece) -> Status {
    seen += text_of(piece);
    return {};
  };
  client->send(request, [](Result<http::ClientResponse>) {});
  ASSERT_TRUE(t.world.run_until([&] { return stream != nullptr; }, seconds(5)));
  ASSERT_TRUE(stream->send({"1", "device", "{}"}));
  ASSERT_TRUE(t.world.run_until([&] { return !seen.empty(); }, seconds(5)));
  EXPECT_EQ(seen, "id: 1\nevent: device\ndata: {}\n\n");
  t.world.run_for(seconds(16));
  EXPECT_THAT(seen, HasSubstr(": beat\n\n"));
  client.reset();
  EXPECT_TRUE(t.world.run_until([&] { return stream->closed(); }, seconds(5)));
}

TEST_F(ApiServerTest, StopLetsRequestsEnd) {
  http::ClientRequest request;
  request.target = "/healthz";
  ASSERT_TRUE(send(request));
  bool stopped = false;
  const MonoTime before = t.world.now();
  api->stop(seconds(10), t.node.loop(), [&] { stopped = true; });
  ASSERT_TRUE(t.world.run_until([&] { return stopped; }, seconds(20)));
  EXPECT_LT((t.world.now() - before).us, seconds(5).us) << "idle connections do not hold it up";
  EXPECT_FALSE(send(request)) << "and no one listens";
}

}  // namespace
}  // namespace holdfast::api
