// What a Transport promises, on TLS and on plain, on this machine and in simulation.
#include "libs/crypto/transport.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/testing/forge.hpp"
#include "libs/crypto/testing/transport_lab.hpp"

namespace holdfast::crypto {
namespace {

using testing::Ear;
using testing::Lab;
using testing::must;
using testing::Wire;

class TransportTest : public testing::TransportFixture {};
HOLDFAST_ALL_TRANSPORTS(TransportTest);

TEST_P(TransportTest, BothSidesLearnTheOther) {
  lab().serve(lab().server_settings());
  const Credential device = pki().device("dev_1");
  Ear& client = lab().connect_fully(lab().client_settings(device));
  Ear& server = *lab().accepted()[0];
  EXPECT_EQ(server.stream().peer().certificate_der, device.chain_der[0]);
  EXPECT_FALSE(server.stream().peer().resumed);
  EXPECT_FALSE(server.stream().peer().address.empty());
  const Peer& peer = client.stream().peer();
  ASSERT_TRUE(peer.certificate_der);
  EXPECT_EQ(must(parse_certificate(*peer.certificate_der)).subject_cn, "holdfast");
  EXPECT_EQ(peer.server_chain.size(), 2U);
  EXPECT_EQ(peer.protocol, std::get<0>(GetParam()) == Wire::tls ? "TLSv1.3" : "plain");
  ASSERT_TRUE(client.stream().write(view_of("ping")));
  ASSERT_TRUE(until([&] { return server.heard() == "ping"; }));
  ASSERT_TRUE(server.stream().write(view_of("po")));
  ASSERT_TRUE(server.stream().write(view_of("ng")));
  ASSERT_TRUE(until([&] { return client.heard() == "pong"; }));
  EXPECT_EQ(count("full"), 1U);
  EXPECT_TRUE(lab().refusals().empty());
}

// ---- who may come in

TEST_P(TransportTest, NoCertificate) {
  lab().serve(lab().server_settings());
  EXPECT_EQ(refusal_heard_by(lab().client_settings()), Code::certificate_required);
  ASSERT_EQ(lab().refusals().size(), 1U);
  EXPECT_EQ(lab().refusals()[0].why.code, Code::certificate_required);
  EXPECT_FALSE(lab().refusals()[0].certificate_der);
  EXPECT_TRUE(lab().accepted().empty());
  EXPECT_EQ(count("refused"), 1U);
}

TEST_P(TransportTest, ExpiredCertificate) {
  lab().serve(lab().server_settings());
  auto spec = pki().spec(Profile::device, "dev_1");
  spec.not_after = pki().now() - seconds(60);
  const Credential device = pki().issue(spec);
  EXPECT_EQ(refusal_heard_by(lab().client_settings(device)), Code::certificate_expired);
  EXPECT_EQ(lab().refusals()[0].why.code, Code::certificate_expired);
  EXPECT_EQ(lab().refusals()[0].certificate_der, device.chain_der[0]);
  EXPECT_TRUE(lab().accepted().empty());
}

TEST_P(TransportTest, CertificateOfAnotherCa) {
  lab().serve(lab().server_settings());
  testing::Pki other(pki().now());
  EXPECT_EQ(refusal_heard_by(lab().client_settings(other.device("dev_1"))),
            Code::certificate_invalid);
  EXPECT_TRUE(lab().accepted().empty());
}

TEST_P(TransportTest, CertificateOfAnotherPurpose) {
  lab().serve(lab().server_settings());
  Credential server = pki().server();
  server.chain_der.resize(1);
  EXPECT_EQ(refusal_heard_by(lab().client_settings(server)), Code::certificate_invalid);
  EXPECT_NE(lab().refusals()[0].why.message.find("clientAuth"), std::string::npos);
}

TEST_P(TransportTest, CertificateThatOnlyOurProfileRefuses) {
  lab().serve(lab().server_settings());
  const PrivateKey key = must(PrivateKey::generate(KeyAlgorithm::p256));
  auto forgery = testing::good_leaf(pki(), kOidClientAuth, key.public_key());
  forgery.serial = der::put_integer(0);
  const Credential device{{testing::forge(forgery, pki().issuing())}, key};
  EXPECT_EQ(refusal_heard_by(lab().client_settings(device)), Code::certificate_invalid);
  EXPECT_NE(lab().refusals()[0].why.message.find("serial is zero"), std::string::npos);
}

TEST_P(TransportTest, OptionalCertificates) {
  auto settings = lab().server_settings();
  settings.client = ClientCertificate::optional;
  lab().serve(std::move(settings));
  lab().connect_fully(lab().client_settings());
  EXPECT_FALSE(lab().accepted()[0]->stream().peer().certificate_der);
  lab().connect_fully(lab().device_settings());
  EXPECT_TRUE(lab().accepted()[1]->stream().peer().certificate_der);
  testing::Pki other(pki().now());
  EXPECT_EQ(refusal_heard_by(lab().client_settings(other.device("dev_1"))),
            Code::certificate_invalid);
}

TEST_P(TransportTest, NoCertificateAskedFor) {
  auto settings = lab().server_settings();
  settings.client = ClientCertificate::none;
  settings.trust_der = {};
  lab().serve(std::move(settings));
  lab().connect_fully(lab().device_settings());
  EXPECT_FALSE(lab().accepted()[0]->stream().peer().certificate_der);
}

// ---- whom a client believes

TEST_P(TransportTest, ServersOfAnotherCa) {
  lab().serve(lab().server_settings());
  auto settings = lab().device_settings();
  settings.trust_der = {testing::Pki(pki().now()).root_der()};
  EXPECT_EQ(lab().connect(std::move(settings)).failed->code, Code::server_untrusted);
  settings = lab().device_settings();
  settings.trust_der = {};
  EXPECT_EQ(lab().connect(std::move(settings)).failed->code, Code::server_untrusted);
}

TEST_P(TransportTest, ServersOfAnotherName) {
  lab().serve(lab().server_settings());
  auto settings = lab().device_settings();
  settings.server_name = "hub.example";
  const Error why = *lab().connect(settings).failed;
  EXPECT_EQ(why.code, Code::server_untrusted);
  EXPECT_NE(why.message.find("does not name \"hub.example\""), std::string::npos);
  settings.server_name = "localhost";
  EXPECT_TRUE(lab().connect(settings).connected);
  settings.server_name = "";
  EXPECT_TRUE(lab().connect(settings).connected);
}

TEST_P(TransportTest, ExpiredServers) {
  auto settings = lab().server_settings();
  auto spec = pki().spec(Profile::server, "holdfast");
  spec.names.addresses = {"127.0.0.1"};
  spec.not_after = pki().now() - seconds(60);
  settings.credential = pki().issue(spec);
  settings.credential.chain_der.push_back(pki().issuing_der());
  lab().serve(std::move(settings));
  auto client = lab().device_settings();
  EXPECT_EQ(lab().connect(client).failed->code, Code::server_untrusted);
  client.check_times = false;  // decision 20: a clock at 1970
  EXPECT_TRUE(lab().connect(client).connected);
}

TEST_P(TransportTest, FirstContactByFingerprint) {
  auto settings = lab().server_settings();
  settings.credential.chain_der.push_back(pki().root_der());
  const Bytes leaf = settings.credential.chain_der[0];
  lab().serve(std::move(settings));
  auto client = lab().device_settings();
  client.trust_der = {};
  const auto pin = [](View der) {
    const Sha256 digest = sha256(der);
    return Bytes(digest.begin(), digest.end());
  };
  for (const Bytes& ca : pki().trust()) {
    client.trust_fingerprint = pin(ca);
    EXPECT_TRUE(lab().connect(client).connected);
  }
  client.trust_fingerprint = pin(view_of("another"));
  const Error why = *lab().connect(client).failed;
  EXPECT_EQ(why.code, Code::server_untrusted);
  EXPECT_NE(why.message.find("fingerprint"), std::string::npos);
  // A leaf is no CA: it signs nothing, not even itself.
  client.trust_fingerprint = pin(leaf);
  EXPECT_EQ(lab().connect(client).failed->code, Code::server_untrusted);
}

TEST_P(TransportTest, UnverifiedFirstContact) {
  lab().serve(lab().server_settings());
  ClientSettings settings;
  settings.unverified = true;
  settings.credential = pki().device("dev_1");
  Ear& client = lab().connect_fully(std::move(settings));
  EXPECT_EQ(client.stream().peer().server_chain.at(1), pki().issuing_der());
}

TEST_P(TransportTest, AgreesOnAnApplicationProtocol) {
  auto settings = lab().server_settings();
  settings.alpn = {"mqtt", "http/1.1"};
  lab().serve(std::move(settings));
  auto client = lab().device_settings();
  client.alpn = {"http/1.1", "mqtt"};
  EXPECT_EQ(lab().connect_fully(client).stream().peer().alpn, "mqtt");
  EXPECT_EQ(lab().accepted()[0]->stream().peer().alpn, "mqtt");
  client.alpn = {"h2"};
  EXPECT_EQ(lab().connect_fully(client).stream().peer().alpn, "");
  client.alpn = {std::string(256, 'a')};
  if (std::get<0>(GetParam()) == Wire::tls) {
    EXPECT_EQ(lab().connect(client).failed->code, Code::invalid_argument);
  }
}

// ---- settings that cannot work

TEST_P(TransportTest, RefusesImpossibleSettings) {
  auto settings = lab().server_settings();
  settings.trust_der = {};
  EXPECT_EQ(lab().transport().make_context(settings).error().code, Code::invalid_argument);
  settings = lab().server_settings();
  settings.trust_der = {pki().device("dev_1").chain_der[0]};
  EXPECT_FALSE(lab().transport().make_context(settings));
  settings = lab().server_settings();
  settings.credential.chain_der = {};
  EXPECT_FALSE(lab().transport().make_context(settings));
  lab().serve(lab().server_settings());
  EXPECT_FALSE(lab().context().replace(settings));
  EXPECT_TRUE(lab().connect(lab().device_settings()).connected);  // the old ones still serve
}

TEST_P(TransportTest, ContextsBelongToTheirTransport) {
  Metrics metrics;
  os::SimWorld elsewhere;
  const auto other = std::get<0>(GetParam()) == Wire::tls
                         ? make_plain_transport(elsewhere.system().network, metrics)
                         : make_tls_transport(elsewhere.system().network, metrics);
  const auto context = must(other->make_context(lab().server_settings()));
  EXPECT_FALSE(lab().transport().listen(loop(), {"127.0.0.1", 0}, context, nullptr));
}

// ---- change under way

TEST_P(TransportTest, ReplacesCertificatesWithoutClosingAnything) {
  lab().serve(lab().server_settings());
  Ear& before = lab().connect_fully(lab().device_settings());
  auto renewed = lab().server_settings();
  const Bytes new_leaf = renewed.credential.chain_der[0];
  ASSERT_NE(before.stream().peer().certificate_der, new_leaf);
  ASSERT_TRUE(lab().context().replace(std::move(renewed)));
  Ear& after = lab().connect_fully(lab().device_settings());
  EXPECT_EQ(after.stream().peer().certificate_der, new_leaf);
  ASSERT_TRUE(before.stream().write(view_of("still here")));
  EXPECT_TRUE(until([&] { return lab().accepted()[0]->heard() == "still here"; }));
}

}  // namespace
}  // namespace holdfast::crypto
