// For tests of the app: whole servers on a simulated machine, with the plain transport, and a
// machine beside it that asks them over HTTP.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "libs/crypto/csr.hpp"
#include "libs/crypto/x509.hpp"
#include "libs/est/est.hpp"
#include "libs/http/client.hpp"
#include "libs/os/sim/simulation.hpp"
#include "libs/wire/json.hpp"
#include "server/app/app.hpp"
#include "server/core/settings.hpp"

namespace holdfast::app {

inline Result<config::Config> config_of(std::vector<std::string> arguments) {
  config::Inputs inputs;
  inputs.arguments = std::move(arguments);
  return TRY(config::load(core::server_settings(), inputs)).config;
}

inline Bytes as_bytes(View view) {
  return {view.begin(), view.end()};
}

class Server {
 public:
  Server(os::sim::Simulation& in, std::string folder, std::uint16_t ports)
      : world(in), node(in.node("server")), data(std::move(folder)), first_port(ports) {}
  ~Server() { drop(); }

  // Opens and starts; the error of whichever fails.
  Result<Ready> start(std::vector<std::string> more = {}) {
    const auto listen = [&](unsigned n) { return ":" + std::to_string(first_port + n); };
    std::vector<std::string> arguments{"--data",        data,      "--api-listen",    listen(0),
                                       "--mqtt-listen", listen(1), "--device-listen", listen(2)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    config = std::make_unique<config::Config>(TRY(config_of(arguments)));
    metrics = std::make_unique<Metrics>();
    const os::System system = node.system();
    transport = crypto::make_plain_transport(system.network, *metrics);
    app = TRY(App::open(system, node.loop(), *transport, *config, Extras{}, log, *metrics));
    std::optional<Result<Ready>> ready;
    app->start([&](Result<Ready> answer) { ready = std::move(answer); });
    if (!world.run_until([&] { return ready.has_value(); }, seconds(20))) {
      return fail(Code::deadline_exceeded, "the server did not start");
    }
    return *std::move(ready);
  }
  bool stop() {
    bool stopped = false;
    app->stop([&] { stopped = true; });
    const bool in_time = world.run_until([&] { return stopped; }, seconds(10));
    end();
    return in_time;
  }
  // The process ends; its files stay.
  void end(os::sim::Crash kind = os::sim::Crash::process) {
    node.crash(kind);
    drop();
    node.restart();
  }
  void drop() {
    app.reset();
    transport.reset();
    metrics.reset();
    config.reset();
  }
  std::string file(const std::string& path) {
    const auto bytes = os::read_file(node.system().files, path, 1 << 24);
    return bytes ? std::string(text_of(*bytes)) : "";
  }
  bool has(const std::string& path) { return os::exists(node.system().files, path); }
  std::vector<Bytes> trust() {
    return crypto::certificates_from_pem(file(data + "/ca/root.pem")).value();
  }

  os::sim::Simulation& world;
  os::sim::Node& node;
  const std::string data;
  const std::uint16_t first_port;
  std::string log_lines;
  Log log{[this](std::string_view line) { log_lines += std::string(line) + "\n"; }, Level::debug};
  std::unique_ptr<config::Config> config;
  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<crypto::Transport> transport;
  std::unique_ptr<App> app;
};

// A machine that talks to a server: an operator, or a device with its certificate.
class Peer {
 public:
  Peer(Server& server, const std::string& name, unsigned port_number,
       std::optional<crypto::Credential> credential = {})
      : server_(server),
        node_(server.world.node(name)),
        transport_(crypto::make_plain_transport(node_.system().network, metrics_)) {
    crypto::ClientSettings settings;
    settings.trust_der = server.trust();
    settings.server_name = "server";
    settings.credential = std::move(credential);
    const auto port = static_cast<std::uint16_t>(server.first_port + port_number);
    client_ = std::make_unique<http::Client>(node_.loop(), *transport_,
                                             os::Endpoint{"server", port}, std::move(settings));
  }

  http::ClientResponse send(http::ClientRequest request) {
    std::optional<Result<http::ClientResponse>> answer;
    request.deadline = server_.world.now() + seconds(20);
    client_->send(std::move(request),
                  [&](Result<http::ClientResponse> got) { answer = std::move(got); });
    EXPECT_TRUE(server_.world.run_until([&] { return answer.has_value(); }, seconds(30)));
    if (!answer || !*answer) {
      ADD_FAILURE() << (answer ? answer->error().text() : "no answer");
      return {};
    }
    return **std::move(answer);
  }
  http::ClientResponse ask(std::string method, std::string target, std::string body = {},
                           http::Headers headers = {}) {
    http::ClientRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.body = bytes_of(body);
    request.body_max = 1 << 28;
    return send(std::move(request));
  }
  // As the bootstrap administrator.
  http::ClientResponse admin(std::string method, std::string target, std::string body = {}) {
    http::Headers headers;
    headers.set("Authorization", "Bearer " + server_.file(server_.data + "/admin-token"));
    if (method == "POST")
      headers.set("Idempotency-Key",
                  "key-" + std::to_string(server_.world.now().us) + "-" + std::to_string(++keys_));
    if (!body.empty()) headers.set("Content-Type", "application/json");
    return ask(std::move(method), std::move(target), std::move(body), std::move(headers));
  }
  wire::Json json(const http::ClientResponse& response, int status) {
    EXPECT_EQ(response.status, status) << response.text();
    return wire::parse_json(response.text(), {1 << 26, 32, wire::Duplicates::refuse})
        .value_or(wire::Json(nullptr));
  }

 private:
  Server& server_;
  os::sim::Node& node_;
  Metrics metrics_;
  std::unique_ptr<crypto::Transport> transport_;
  std::unique_ptr<http::Client> client_;
  int keys_ = 0;
};

// A device that came in by a claim over EST.
struct Enrolled {
  std::string id;
  std::string claim;
  crypto::Credential credential;
};
inline Enrolled enrol(Server& server, Peer& operators, const std::string& name) {
  const auto claim =
      operators.json(operators.admin("POST", "/v1/claims", R"({"name":")" + name + R"("})"), 201);
  Enrolled out;
  out.claim = std::string(claim.at("claim").as_string());
  crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256).value();
  crypto::CsrSpec spec;
  spec.common_name = name;
  const std::string csr = to_base64(crypto::make_csr(spec, key).value());
  Peer stranger(server, "stranger", 2);
  http::Headers headers;
  headers.set("Authorization", "Basic " + to_base64(view_of("claim:" + out.claim)));
  headers.set("Content-Type", std::string(est::kTypePkcs10));
  const auto answer = stranger.ask("POST", "/.well-known/est/simpleenroll", csr, headers);
  EXPECT_EQ(answer.status, 200) << answer.text();
  auto certificates = est::parse_certificates_body(answer.body).value();
  out.id = crypto::parse_certificate(certificates.front()).value().subject_cn;
  out.credential = {std::move(certificates), std::move(key)};
  return out;
}

}  // namespace holdfast::app
