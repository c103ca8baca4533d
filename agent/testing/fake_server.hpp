// FakeServer: the server's side of the device protocol in a simulation, as little as the agent's
// tests need: EST with one claim, MQTT with sessions that survive connections, and switches for
// whatever can go wrong. It is strict where the contract is: an unknown topic, a QoS 0 message or a
// reading stored twice shows in the tests. Test code only; one thread.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/metrics.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/est/claim_code.hpp"
#include "libs/est/est.hpp"
#include "libs/http/server.hpp"
#include "libs/os/sim/simulation.hpp"
#include "libs/tpm/checks.hpp"
#include "libs/wire/json.hpp"
#include "libs/wire/mqtt.hpp"

namespace holdfast::agent::testing {

using crypto::testing::must;

inline constexpr std::uint16_t kMqttPort = 8883;
inline constexpr std::uint16_t kDevicePort = 8444;

struct Received {
  std::string topic;
  std::string payload;
  bool dup = false;
};

class FakeServer {
 public:
  explicit FakeServer(os::sim::Simulation& simulation)
      : node_(simulation.node("server")),
        pki_(simulation.wall()),
        transport_(crypto::make_plain_transport(node_.system().network, metrics_)) {
    listen();
  }
  ~FakeServer() {
    connections_.clear();
    parted_.clear();
    http_.reset();
  }

  // ---- switches
  wire::mqtt::Reason connect_reason = wire::mqtt::Reason::success;
  wire::mqtt::Reason publish_reason = wire::mqtt::Reason::success;
  bool acknowledge = true;    // PUBACKs go out
  int lost_certificates = 0;  // so many issued ones never arrive
  bool forget_sessions = false;
  std::string erase_nonce;       // not empty: the device is decommissioned
  int lost_proofs = 0;           // so many are not answered
  Duration lifetime = days(90);  // of certificates
  Bytes attestation_public;      // TPM2B_PUBLIC; empty: the device enrolled without a TPM
  std::optional<Code> check_refusal;
  std::int64_t check_next_s = 86'400;
  std::string check_challenge;  // not empty: given in place of a right one

  // ---- what came
  std::vector<Received> messages;              // all, in order, repeats too
  std::vector<Received> stored;                // as the server's dedupe leaves them
  std::vector<std::uint16_t> acknowledged;     // our messages that the agent acknowledged
  std::vector<Bytes> csrs;                     // distinct ones
  std::vector<std::string> certificates_seen;  // key fingerprints of MQTT clients
  std::vector<std::string> proofs;             // statements whose signature is the device's
  std::vector<WallTime> checks;                // good quotes, by arrival
  int check_begins = 0;                        // challenges asked for
  int enrolments = 0;                          // answers that carried a certificate
  int connects = 0;                            // CONNECT packets
  int disconnects = 0;                         // clean ones

  std::string code(const std::string& claim) const {
    est::JoinCode code;
    code.device = "server:" + std::to_string(kDevicePort);
    code.mqtt = "server:" + std::to_string(kMqttPort);
    code.ca_fingerprint = crypto::sha256(pki_.root_der());
    code.claim = claim;
    return must(est::encode_join_code(code));
  }
  std::string claim() const {
    const std::array<std::uint8_t, 16> random{1, 2, 3, 4, 5, 6, 7};
    return est::make_claim(random);
  }
  std::string code() const { return code(claim()); }

  // Publishes at QoS 1 on every live connection.
  std::uint16_t send(const std::string& topic, const std::string& payload, bool dup = false) {
    wire::mqtt::Publish publish;
    publish.topic = topic;
    publish.payload = view_of(payload);
    publish.qos = 1;
    publish.dup = dup;
    publish.packet_id = dup ? last_id_ : ++last_id_;
    for (auto& each : connections_) write(*each, publish);
    return last_id_;
  }
  void close_all(wire::mqtt::Reason reason) {
    wire::mqtt::Disconnect bye;
    bye.reason = reason;
    for (auto& each : connections_) {
      write(*each, bye);
      part(each);
    }
    connections_.clear();
  }
  std::size_t live() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(connections_, [](const auto& each) { return each->connected; }));
  }
  std::vector<Received> of(std::string_view topic) const {
    std::vector<Received> out;
    for (const auto& each : stored) {
      if (each.topic == topic) out.push_back(each);
    }
    return out;
  }
  std::size_t count(std::string_view topic) const { return of(topic).size(); }
  bool was_acknowledged(std::uint16_t id) const {
    return std::ranges::find(acknowledged, id) != acknowledged.end();
  }
  os::sim::Node& node() { return node_; }
  crypto::testing::Pki& pki() { return pki_; }

 private:
  struct Connection {
    std::unique_ptr<crypto::SecureStream> stream;
    wire::mqtt::Decoder decoder = wire::mqtt::Decoder::for_server(262'144);
    bool connected = false;
  };

  void listen() {
    http::ServerOptions options;
    http_ = std::make_unique<http::Server>(
        node_.loop(), node_.system().entropy, metrics_, options,
        [](const http::Request&) -> Result<std::size_t> { return 32'768; },
        [this](http::Request request, http::Responder responder) {
          serve(std::move(request), std::move(responder));
        });
    crypto::ServerSettings settings;
    settings.credential = pki_.server({"server"});
    settings.trust_der = pki_.trust();
    settings.client = crypto::ClientCertificate::optional;
    listeners_.push_back(must(transport_->listen(
        node_.loop(), {"", kDevicePort}, must(transport_->make_context(settings)),
        [this](auto stream) { http_->accept(std::move(stream)); })));
    settings.client = crypto::ClientCertificate::required;
    listeners_.push_back(must(
        transport_->listen(node_.loop(), {"", kMqttPort}, must(transport_->make_context(settings)),
                           [this](auto stream) { accept(std::move(stream)); })));
  }

  // ---- EST
  void serve(http::Request request, http::Responder responder) {
    if (request.path.ends_with("/cacerts")) {
      return responder.send(
          http::content(200, est::kTypeCertificates,
                        est::certificates_body({pki_.issuing_der(), pki_.root_der()}, "")));
    }
    if (request.path == "/device/v1/twin") {
      if (!request.peer.certificate_der) return responder.fail(error(Code::certificate_required));
      return responder.send(http::json(200, "{}"));
    }
    if (request.path == "/device/v1/erase") return serve_erase(request, std::move(responder));
    if (request.path.starts_with("/device/v1/attestation-check")) {
      return serve_check(request, std::move(responder));
    }
    const bool claimed = request.path.ends_with("/simpleenroll");
    if (claimed) {
      const std::string wanted = "Basic " + to_base64(view_of("claim:" + claim()));
      if (request.header("Authorization") != wanted)
        return responder.fail(error(Code::claim_unknown));
    } else if (!request.peer.certificate_der) {
      return responder.fail(error(Code::certificate_required));
    }
    auto csr = est::parse_enrolment(request.body);
    if (!csr) return responder.fail(csr.error());
    auto& issued = issued_[csr->der];
    if (issued.empty()) {
      // A claim is spent by its first certificate; a renewal is for whoever shows one.
      if (claimed && std::exchange(spent_, true)) return responder.fail(error(Code::claim_spent));
      csrs.push_back(csr->der);
      issued = issue(*csr);
    }
    if (lost_certificates > 0) {
      --lost_certificates;
      http::Response cut;
      cut.close = true;
      cut.source = [](std::size_t) -> Result<Bytes> { return fail(Code::closed, "lost"); };
      cut.source_size = 1000;
      return responder.send(std::move(cut));
    }
    ++enrolments;
    responder.send(http::content(200, est::kTypeCertsOnly, est::certificates_body({issued}, "")));
  }
  void serve_erase(const http::Request& request, http::Responder responder) {
    if (!request.peer.certificate_der) return responder.fail(error(Code::certificate_required));
    const auto leaf = must(crypto::parse_certificate(*request.peer.certificate_der));
    if (erase_nonce.empty()) return responder.fail(error(Code::not_found));
    if (request.method == "GET") {
      return responder.send(http::json(200, "{\"device_id\":\"" + leaf.subject_cn +
                                                "\",\"nonce\":\"" + erase_nonce +
                                                "\",\"deadline\":\"2030-01-01T00:00:00Z\"}"));
    }
    const auto json = must(wire::parse_json(text_of(request.body)));
    const auto& body = json.get_object();
    const auto statement = must(from_base64(must(wire::get_string(body, "statement"))));
    const auto signature = must(from_base64(must(wire::get_string(body, "signature"))));
    if (must(leaf.public_key()).verify(statement, signature)) {
      proofs.push_back(string_of(statement));
    }
    if (lost_proofs > 0) {
      --lost_proofs;
      return responder.fail(error(Code::unavailable));
    }
    responder.send(http::no_content());
  }
  void serve_check(const http::Request& request, http::Responder responder) {
    if (!request.peer.certificate_der) return responder.fail(error(Code::certificate_required));
    if (request.path == "/device/v1/attestation-check") {
      ++check_begins;
      if (check_refusal) return responder.fail(error(*check_refusal));
      if (attestation_public.empty()) return responder.fail(error(Code::attestation_refused));
      check_nonce_ = node_.system().entropy.bytes(32);
      const std::string text = wire::json_text(wire::JsonObject{
          {"id", check_id()}, {"nonce", to_base64(check_nonce_)}, {"pcrs", wire::JsonArray{0, 7}}});
      return responder.send(http::json(201, check_challenge.empty() ? text : check_challenge));
    }
    const bool asked = request.path.ends_with("/" + check_id()) && !check_nonce_.empty();
    const Bytes nonce = std::exchange(check_nonce_, {});  // good for one answer
    if (!asked) return responder.fail(error(Code::attestation_expired));
    const auto quoted = check_quote(request, nonce);
    if (!quoted) return responder.fail(quoted.error());
    checks.push_back(node_.system().clock.wall());
    responder.send(http::json(
        200, wire::json_text(wire::JsonObject{{"result", "unchanged"}, {"next_s", check_next_s}})));
  }
  std::string check_id() const { return "check_" + std::to_string(check_begins); }
  Status check_quote(const http::Request& request, View nonce) {
    const wire::Json json = TRY(wire::parse_json(request.body));
    const auto& body = *TRY(wire::as_object(json));
    const Bytes attest = TRY(from_base64(TRY(wire::get_string(body, "quote_attest"))));
    const Bytes signature = TRY(from_base64(TRY(wire::get_string(body, "quote_signature"))));
    tpm::PcrValues values;
    for (const unsigned pcr : {0U, 7U}) {
      const Bytes value = TRY(from_hex(
          TRY(wire::get_string(*TRY(wire::get_object(body, "pcrs")), std::to_string(pcr)))));
      std::ranges::copy(value, values[pcr].begin());
    }
    TRY(tpm::check_quoted({attest, signature}, TRY(tpm::parse_public(attestation_public)), nonce,
                          values));
    return {};
  }
  static Error error(Code code) { return Error{code, "so says the test", {}, {}, {}}; }

  Bytes issue(const crypto::Csr& csr) {
    auto spec = pki_.spec(crypto::Profile::device, "dev_01J9Z3K5M70000000000000000");
    spec.names.uris = {"urn:holdfast:dev_01J9Z3K5M70000000000000000"};
    spec.not_before = node_.system().clock.wall() - minutes(5);
    if (spec.not_before < pki_.now()) spec.not_before = pki_.now();  // an agent's clock may differ
    spec.not_after = spec.not_before + lifetime;
    return must(crypto::issue_certificate(spec, csr.key, pki_.issuing()));
  }

  // ---- MQTT
  void accept(std::unique_ptr<crypto::SecureStream> stream) {
    auto connection = std::make_shared<Connection>();
    connection->stream = std::move(stream);
    connections_.push_back(connection);
    wait(connection);
  }
  void wait(const std::shared_ptr<Connection>& connection) {
    connection->stream->wait_readable([this, weak = std::weak_ptr(connection)] {
      if (const auto held = weak.lock()) readable(held);
    });
  }
  // Destroying a stream drops what it has not sent yet.
  void part(const std::shared_ptr<Connection>& connection) {
    connection->stream->shut();
    parted_.push_back(connection);
  }
  void drop(const std::shared_ptr<Connection>& connection) {
    part(connection);
    std::erase(connections_, connection);
  }

  void readable(const std::shared_ptr<Connection>& connection) {
    std::array<std::uint8_t, 4096> buffer{};
    for (;;) {
      const auto got = connection->stream->read(buffer);
      if (!got && got.error().code == Code::would_block) return wait(connection);
      if (!got || *got == 0) return drop(connection);
      connection->decoder.feed(View(buffer).first(*got));
      for (auto packet = connection->decoder.next(); packet && *packet;
           packet = connection->decoder.next()) {
        if (!handle(*connection, **packet)) return drop(connection);
      }
    }
  }
  bool handle(Connection& connection, const wire::mqtt::Packet& packet) {
    using namespace wire::mqtt;
    if (const auto* connect = std::get_if<Connect>(&packet))
      return on_connect(connection, *connect);
    if (const auto* publish = std::get_if<Publish>(&packet)) on_publish(connection, *publish);
    if (const auto* puback = std::get_if<Puback>(&packet))
      acknowledged.push_back(puback->packet_id);
    if (std::holds_alternative<Pingreq>(packet)) write(connection, Pingresp{});
    if (const auto* subscribe = std::get_if<Subscribe>(&packet)) {
      Suback suback;
      suback.packet_id = subscribe->packet_id;
      suback.reasons = {Reason::granted_qos_1};
      write(connection, suback);
      connection.connected = true;
    }
    if (std::holds_alternative<Disconnect>(packet)) {
      ++disconnects;
      return false;
    }
    return true;
  }
  bool on_connect(Connection& connection, const wire::mqtt::Connect& connect) {
    ++connects;
    wire::mqtt::Connack connack;
    connack.reason = connect_reason;
    const bool known = !forget_sessions && sessions_.contains(connect.client_id);
    connack.session_present = known && !connect.clean_start && !is_error(connect_reason);
    if (!connack.session_present) sessions_[connect.client_id] = {};
    connack.properties.set(wire::mqtt::PropertyId::receive_maximum, std::uint32_t{8});
    write(connection, connack);
    session_ = connect.client_id;
    const auto leaf = must(crypto::parse_certificate(*connection.stream->peer().certificate_der));
    certificates_seen.push_back(to_hex(crypto::sha256(leaf.spki_der)));
    return !is_error(connect_reason);
  }
  void on_publish(Connection& connection, const wire::mqtt::Publish& publish) {
    const std::string payload = string_of(publish.payload);
    messages.push_back({publish.topic, payload, publish.dup});
    auto& known = sessions_[session_];
    const auto at = known.find(publish.packet_id);
    const bool repeat = publish.dup && at != known.end() && at->second == payload;
    if (!repeat && !is_error(publish_reason))
      stored.push_back({publish.topic, payload, publish.dup});
    known[publish.packet_id] = payload;
    if (!acknowledge) return;
    wire::mqtt::Puback puback;
    puback.packet_id = publish.packet_id;
    puback.reason = publish_reason;
    write(connection, puback);
  }
  static void write(Connection& connection, const wire::mqtt::Packet& packet) {
    Bytes out;
    must(wire::mqtt::encode(packet, wire::mqtt::Version::v5, out));
    static_cast<void>(connection.stream->write(out));
  }

  Metrics metrics_;
  os::sim::Node& node_;
  crypto::testing::Pki pki_;
  std::unique_ptr<crypto::Transport> transport_;
  std::unique_ptr<http::Server> http_;
  std::vector<std::unique_ptr<os::Listener>> listeners_;
  std::vector<std::shared_ptr<Connection>> connections_, parted_;
  std::map<std::string, std::map<std::uint16_t, std::string>> sessions_;
  std::map<Bytes, Bytes> issued_;  // by request
  std::string session_;
  bool spent_ = false;
  Bytes check_nonce_;
  std::uint16_t last_id_ = 0;
};

}  // namespace holdfast::agent::testing
