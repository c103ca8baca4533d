// The whole way over real sockets and TLS: SyncClient, transport, Server, workers.
#include "libs/http/sync_client.hpp"

#include <gtest/gtest.h>

#include <future>

#include "libs/crypto/testing.hpp"
#include "libs/http/server.hpp"
#include "libs/os/system.hpp"

namespace holdfast::http {
namespace {

class SyncClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = os::RealSystem::make();
    ASSERT_TRUE(made);
    machine = std::move(*made);
    transport = crypto::make_tls_transport(machine->system().network, metrics);
    pki = std::make_unique<crypto::testing::Pki>(now());
    workers = machine->system().threads.start_workers("test", 2, 16);
    loop = machine->system().threads.start_loop("server");
    crypto::ServerSettings settings;
    settings.credential = pki->server();
    settings.client = crypto::ClientCertificate::none;
    settings.allow_tls12 = true;
    settings.alpn = {"http/1.1"};
    auto context = transport->make_context(settings);
    ASSERT_TRUE(context);
    on_loop([&] {
      ServerOptions options;
      options.workers = workers.get();
      server = std::make_unique<Server>(
          *loop, machine->system().entropy, metrics, options,
          [](const Request&) -> Result<std::size_t> { return std::size_t{1} << 20; },
          [this](Request request, Responder responder) {
            handle(std::move(request), std::move(responder));
          });
      auto listening = transport->listen(*loop, {"127.0.0.1", 0}, *context,
                                         [this](std::unique_ptr<crypto::SecureStream> stream) {
                                           server->accept(std::move(stream));
                                         });
      ASSERT_TRUE(listening);
      listener = std::move(*listening);
    });
  }
  void TearDown() override {
    workers.reset();
    on_loop([&] {
      listener.reset();
      server.reset();
    });
    loop.reset();
  }
  WallTime now() const {
    return {machine->system().clock.wall().us / 1'000'000 * 1'000'000};
  }
  void on_loop(std::function<void()> task) {
    std::promise<void> done;
    loop->post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  void handle(Request request, Responder responder) {
    if (request.path == "/hang") return held.push_back(std::move(responder));
    if (request.path == "/large") {
      Response response;
      auto left = std::make_shared<std::size_t>(5'000'000);
      response.source = [left](std::size_t most) -> Result<Bytes> {
        const std::size_t size = std::min(most, *left);
        *left -= size;
        return Bytes(size, 'x');
      };
      return responder.send(std::move(response));
    }
    auto shared = std::make_shared<Responder>(std::move(responder));
    const bool posted =
        workers->post([shared, body = request.body, protocol = request.peer.protocol] {
          Response response = content(200, "text/plain", text_of(body));
          response.headers.set("X-Protocol", protocol);
          shared->send(std::move(response));
        });
    EXPECT_TRUE(posted);
  }
  std::unique_ptr<SyncClient> client(std::vector<Bytes> trust) {
    crypto::ClientSettings settings;
    settings.trust_der = std::move(trust);
    settings.server_name = "localhost";
    return std::make_unique<SyncClient>(machine->system().threads, *transport, listener->endpoint(),
                                        settings);
  }

  Metrics metrics;
  std::unique_ptr<os::RealSystem> machine;
  std::unique_ptr<crypto::Transport> transport;
  std::unique_ptr<crypto::testing::Pki> pki;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<os::Loop> loop;
  std::unique_ptr<Server> server;
  std::unique_ptr<os::Listener> listener;
  std::vector<Responder> held;
};

TEST_F(SyncClientTest, AsksOverTls) {
  auto sync = client(pki->trust());
  for (int i = 0; i < 20; ++i) {
    ClientRequest request;
    request.method = "POST";
    request.body = bytes_of("body " + std::to_string(i));
    const auto answer = sync->send(request, seconds(10));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->text(), "body " + std::to_string(i));
    EXPECT_EQ(answer->headers.get("X-Protocol"), "TLSv1.3");
  }
  EXPECT_EQ(metrics.counter("holdfast_http_connections_opened_total", "", "server=\"api\"").value(),
            1U);
}

TEST_F(SyncClientTest, StreamsWhatIsPulledOnWorkers) {
  auto sync = client(pki->trust());
  std::size_t size = 0;
  ClientRequest request;
  request.target = "/large";
  request.on_body = [&](View piece) -> Status {
    size += piece.size();
    return {};
  };
  const auto answer = sync->send(request, seconds(30));
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(size, 5'000'000U);
}

TEST_F(SyncClientTest, GivesUpAtItsDeadline) {
  auto sync = client(pki->trust());
  ClientRequest request;
  request.target = "/hang";
  const auto answer = sync->send(request, milliseconds(50));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::deadline_exceeded);
  sync.reset();
  on_loop([&] { held.clear(); });
}

TEST_F(SyncClientTest, TrustsNobodyElse) {
  crypto::testing::Pki other(now());
  const auto answer = client(other.trust())->send({}, seconds(10));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::server_untrusted) << answer.error().text();
}

}  // namespace
}  // namespace holdfast::http
