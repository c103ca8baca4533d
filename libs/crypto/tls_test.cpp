// What only real TLS has: versions, ciphers, tickets, foreign clients, memory.
#include <gtest/gtest.h>
#include <malloc.h>

#include "libs/crypto/testing/openssl_cli.hpp"
#include "libs/crypto/testing/threaded_server.hpp"
#include "libs/crypto/testing/transport_lab.hpp"
#include "libs/crypto/tls_sessions.hpp"

namespace holdfast::crypto {
namespace {

using testing::Ear;
using testing::Lab;
using testing::must;
using testing::OpensslCli;
using testing::Pki;
using testing::ThreadedServer;
using testing::Wire;

// ---- against openssl s_client

class ForeignClientTest : public ::testing::Test {
 protected:
  ForeignClientTest() {
    device_ = pki_.device("dev_1");
    cert_ = cli_.put_certificate("device.pem", device_.chain_der[0]);
    key_ = cli_.put("device.key", must(device_.key.pkcs8_pem()));
    ca_ = cli_.put_certificate("root.pem", pki_.root_der());
  }

  os::Exit s_client(ThreadedServer& server, std::vector<std::string> more, bool with_cert = true) {
    std::vector<std::string> arguments = {"s_client",   "-connect",  server.address(),
                                          "-CAfile",    ca_,         "-verify_return_error",
                                          "-verify_ip", "127.0.0.1", "-ign_eof"};
    if (with_cert) arguments.insert(arguments.end(), {"-cert", cert_, "-key", key_});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return cli_.run(arguments);
  }
  static bool welcomed(const os::Exit& exit) {
    return exit.out.find("welcome\n") != std::string::npos;
  }

  OpensslCli cli_;
  Pki pki_{cli_.system().clock.wall()};
  Credential device_;
  std::string cert_, key_, ca_;
};

TEST_F(ForeignClientTest, Tls13WithCertificate) {
  ThreadedServer server(cli_.system(), pki_, {});
  const os::Exit exit = s_client(server, {});
  EXPECT_TRUE(welcomed(exit)) << exit.out << exit.err;
  EXPECT_NE(exit.out.find("Verification: OK"), std::string::npos);
  EXPECT_NE(exit.out.find("TLSv1.3"), std::string::npos);
  // The issuing CA travels with the leaf; the root does not: clients have it, and it costs memory.
  EXPECT_NE(exit.out.find(" 1 s:CN = Test issuing CA"), std::string::npos);
  EXPECT_EQ(exit.out.find(" 2 s:"), std::string::npos);
  ASSERT_EQ(server.peers().size(), 1U);
  EXPECT_EQ(server.peers()[0].certificate_der, device_.chain_der[0]);
}

TEST_F(ForeignClientTest, HearsThatItNeedsACertificate) {
  ThreadedServer server(cli_.system(), pki_, {});
  const os::Exit exit = s_client(server, {}, false);
  EXPECT_FALSE(welcomed(exit));
  EXPECT_NE(exit.err.find("certificate required"), std::string::npos) << exit.err;
}

TEST_F(ForeignClientTest, HearsThatItsCertificateHasExpired) {
  auto spec = pki_.spec(Profile::device, "dev_1");
  spec.not_after = pki_.now() - seconds(60);
  device_ = pki_.issue(spec);
  cert_ = cli_.put_certificate("device.pem", device_.chain_der[0]);
  key_ = cli_.put("device.key", must(device_.key.pkcs8_pem()));
  ThreadedServer server(cli_.system(), pki_, {});
  const os::Exit exit = s_client(server, {});
  EXPECT_FALSE(welcomed(exit));
  EXPECT_NE(exit.err.find("certificate expired"), std::string::npos) << exit.err;
}

TEST_F(ForeignClientTest, Tls12OnlyWhereAllowed) {
  {
    ThreadedServer server(cli_.system(), pki_, {});
    const os::Exit exit = s_client(server, {"-tls1_2"});
    EXPECT_FALSE(welcomed(exit));
    EXPECT_NE(exit.err.find("alert protocol version"), std::string::npos) << exit.err;
    EXPECT_EQ(server.refused().at(0).code, Code::tls_failed);
  }
  ServerSettings settings;
  settings.allow_tls12 = true;
  ThreadedServer server(cli_.system(), pki_, settings);
  EXPECT_TRUE(welcomed(s_client(server, {"-tls1_2"})));
  EXPECT_TRUE(welcomed(s_client(server, {"-tls1_3"})));
  ASSERT_EQ(server.peers().size(), 2U);
  EXPECT_EQ(server.peers()[0].protocol, "TLSv1.2");
  EXPECT_EQ(server.peers()[0].certificate_der, device_.chain_der[0]);
}

TEST_F(ForeignClientTest, Tls12OnlyWithForwardSecrecyAndAead) {
  ServerSettings settings;
  settings.allow_tls12 = true;
  ThreadedServer server(cli_.system(), pki_, settings);
  EXPECT_TRUE(welcomed(s_client(server, {"-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"})));
  EXPECT_FALSE(welcomed(s_client(server, {"-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"})));
  EXPECT_FALSE(welcomed(s_client(server, {"-tls1_2", "-cipher", "AES256-GCM-SHA384"})));
}

TEST_F(ForeignClientTest, ResumedSessionsStillYieldTheCertificate) {
  for (const bool tls12 : {false, true}) {
    ServerSettings settings;
    settings.allow_tls12 = tls12;
    ThreadedServer server(cli_.system(), pki_, settings);
    const std::string version = tls12 ? "-tls1_2" : "-tls1_3";
    const std::string session = cli_.path("session");
    ASSERT_TRUE(welcomed(s_client(server, {version, "-sess_out", session})));
    const os::Exit exit = s_client(server, {version, "-sess_in", session});
    EXPECT_TRUE(welcomed(exit)) << exit.err;
    EXPECT_NE(exit.out.find("Reused, TLSv1."), std::string::npos);
    ASSERT_EQ(server.peers().size(), 2U);
    EXPECT_FALSE(server.peers()[0].resumed);
    EXPECT_TRUE(server.peers()[1].resumed);
    EXPECT_EQ(server.peers()[1].certificate_der, device_.chain_der[0]);
  }
}

TEST_F(ForeignClientTest, NoTicketsWhenSwitchedOff) {
  ServerSettings settings;
  settings.tickets = false;
  ThreadedServer server(cli_.system(), pki_, settings);
  const os::Exit exit = s_client(server, {"-tls1_3"});
  EXPECT_TRUE(welcomed(exit));
  EXPECT_EQ(exit.out.find("New Session Ticket arrived"), std::string::npos);
  ServerSettings on;
  ThreadedServer other(cli_.system(), pki_, on);
  const std::string out = s_client(other, {"-tls1_3"}).out;
  const auto first = out.find("New Session Ticket arrived");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(out.find("New Session Ticket arrived", first + 1), std::string::npos);  // one, not two
}

TEST_F(ForeignClientTest, LongChainsAreRefusedUnread) {
  std::vector<Bytes> chain = {device_.chain_der[0]};
  for (int i = 0; i < 60; ++i) chain.push_back(pki_.issuing_der());
  const std::string file = cli_.put("chain.pem", certificates_to_pem(chain));
  ThreadedServer server(cli_.system(), pki_, {});
  EXPECT_FALSE(welcomed(s_client(server, {"-cert_chain", file})));
  EXPECT_TRUE(server.peers().empty());
}

TEST_F(ForeignClientTest, RsaAndEd25519Devices) {
  ThreadedServer server(cli_.system(), pki_, {});
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa, KeyAlgorithm::ed25519}) {
    const PrivateKey key = must(PrivateKey::generate(algorithm));
    const Bytes leaf = must(
        issue_certificate(pki_.spec(Profile::device, "dev_2"), key.public_key(), pki_.issuing()));
    cert_ = cli_.put_certificate("device.pem", leaf);
    key_ = cli_.put("device.key", must(key.pkcs8_pem()));
    EXPECT_TRUE(welcomed(s_client(server, {}))) << name_of(algorithm);
  }
}

// ---- threads

TEST(TlsThreads, SettingsAreReplacedWhileClientsCome) {
  os::RealWorld world;
  Pki pki(world.system().clock.wall());
  ThreadedServer server(world.system(), pki, {});
  Metrics metrics;
  const auto transport = make_tls_transport(world.system().network, metrics);
  ClientSettings client;
  client.trust_der = {pki.root_der()};
  client.server_name = "127.0.0.1";
  client.credential = pki.device("dev_1");
  constexpr std::size_t kCount = 60;
  std::set<Bytes> leaves;
  std::size_t connected = 0, failed = 0;
  std::function<void()> next = [&] {
    transport->connect(world.loop(), server.endpoint(), client,
                       world.loop().clock().mono() + seconds(8), [&](auto stream) {
                         ++(stream ? connected : failed);
                         if (stream) leaves.insert(*(*stream)->peer().certificate_der);
                         if (connected + failed < kCount) next();
                       });
  };
  next();
  ASSERT_TRUE(world.until([&] {
    ServerSettings renewed;
    renewed.credential = pki.server();
    renewed.trust_der = pki.trust();
    EXPECT_TRUE(server.context().replace(std::move(renewed)));
    return connected + failed == kCount;
  }));
  EXPECT_EQ(failed, 0U);
  EXPECT_GT(leaves.size(), 2U);  // the change is seen by the next handshake
}

// ---- our own client

class TlsTest : public ::testing::Test {
 protected:
  os::sim::Simulation simulation_{7};
  os::sim::Node& node_ = simulation_.node("one");

  class NodeWorld final : public os::World {
   public:
    NodeWorld(os::sim::Simulation& simulation, os::sim::Node& node)
        : simulation_(simulation), node_(node) {}
    os::System system() override { return node_.system(); }
    os::Loop& loop() override { return node_.loop(); }
    std::string folder() override { return "/data"; }
    bool until(std::function<bool()> condition) override {
      return simulation_.run_until(condition, os::kPatience);
    }

   private:
    os::sim::Simulation& simulation_;
    os::sim::Node& node_;
  };
  NodeWorld world_{simulation_, node_};
  Lab lab_{world_, Wire::tls};

  ClientSettings resuming(std::shared_ptr<ClientSessions> sessions) {
    auto settings = lab_.client_settings(device_);
    settings.sessions = std::move(sessions);
    return settings;
  }
  // The ticket comes after the handshake: whoever wants it must read.
  void connect_and_take_ticket(const ClientSettings& settings) {
    Ear& client = lab_.connect_fully(settings);
    ASSERT_TRUE(lab_.accepted().back()->stream().write(view_of("x")));
    ASSERT_TRUE(world_.until([&] { return client.heard() == "x"; }));
  }

  Credential device_ = lab_.pki().device("dev_1");
};

TEST_F(TlsTest, ResumesAndIsCheckedAllTheSame) {
  lab_.serve(lab_.server_settings());
  const auto settings = resuming(make_client_sessions());
  connect_and_take_ticket(settings);
  Ear& client = lab_.connect_fully(settings);
  EXPECT_TRUE(client.stream().peer().resumed);
  EXPECT_EQ(must(parse_certificate(*client.stream().peer().certificate_der)).subject_cn,
            "holdfast");
  const Peer& peer = lab_.accepted()[1]->stream().peer();
  EXPECT_TRUE(peer.resumed);
  EXPECT_EQ(peer.certificate_der, device_.chain_der[0]);
  EXPECT_EQ(lab_.count("tls", "resumed"), 1U);
}

TEST_F(TlsTest, ASessionIsUsedOnce) {
  lab_.serve(lab_.server_settings());
  const auto settings = resuming(make_client_sessions());
  connect_and_take_ticket(settings);
  auto& first = lab_.start(settings);
  auto& second = lab_.start(settings);
  ASSERT_TRUE(world_.until([&] { return first.done() && second.done(); }));
  EXPECT_NE(first.connected->stream().peer().resumed, second.connected->stream().peer().resumed);
}

TEST_F(TlsTest, AResumedSessionOfAnExpiredCertificateIsRefused) {
  lab_.serve(lab_.server_settings());
  auto spec = lab_.pki().spec(Profile::device, "dev_1");
  spec.not_after = lab_.pki().now() + minutes(10);
  device_ = lab_.pki().issue(spec);
  const auto settings = resuming(make_client_sessions());
  connect_and_take_ticket(settings);
  simulation_.jump_wall(minutes(11));
  auto& attempt = lab_.connect(settings);
  EXPECT_TRUE(world_.until([&] { return attempt.failed || attempt.connected->over(); }));
  EXPECT_TRUE(world_.until([&] { return lab_.refusals().size() == 1; }));
  EXPECT_EQ(lab_.refusals()[0].why.code, Code::certificate_expired);
  EXPECT_EQ(lab_.accepted().size(), 1U);
}

TEST_F(TlsTest, AServerThatExpiredIsNotResumed) {
  auto server = lab_.server_settings();
  auto spec = lab_.pki().spec(Profile::server, "holdfast");
  spec.names.addresses = {"127.0.0.1"};
  spec.not_after = lab_.pki().now() + minutes(10);
  server.credential = lab_.pki().issue(spec);
  server.credential.chain_der.push_back(lab_.pki().issuing_der());
  lab_.serve(std::move(server));
  const auto settings = resuming(make_client_sessions());
  connect_and_take_ticket(settings);
  simulation_.jump_wall(minutes(11));
  EXPECT_EQ(lab_.connect(settings).failed->code, Code::server_untrusted);
}

TEST_F(TlsTest, OldTicketsMeanNothingToNewSettings) {
  lab_.serve(lab_.server_settings());
  const auto settings = resuming(make_client_sessions());
  connect_and_take_ticket(settings);
  ASSERT_TRUE(lab_.context().replace(lab_.server_settings()));
  EXPECT_FALSE(lab_.connect_fully(settings).stream().peer().resumed);
}

TEST_F(TlsTest, TicketKeysLiveADay) {
  lab_.serve(lab_.server_settings());
  const auto settings = resuming(make_client_sessions());
  connect_and_take_ticket(settings);
  simulation_.run_for(hours(24) - minutes(5));
  connect_and_take_ticket(settings);
  simulation_.run_for(minutes(10));
  // The ticket is fresh, its key is not.
  EXPECT_FALSE(lab_.connect_fully(settings).stream().peer().resumed);
  connect_and_take_ticket(settings);
  simulation_.run_for(minutes(10));
  EXPECT_TRUE(lab_.connect_fully(settings).stream().peer().resumed);
}

TEST_F(TlsTest, UnverifiedSessionsAreNeverKept) {
  lab_.serve(lab_.server_settings());
  auto settings = resuming(make_client_sessions());
  settings.unverified = true;
  connect_and_take_ticket(settings);
  settings.unverified = false;
  EXPECT_FALSE(lab_.connect_fully(settings).stream().peer().resumed);
}

TEST_F(TlsTest, AnEndWithoutGoodbyeIsNoEnd) {
  lab_.serve(lab_.server_settings());
  Ear& client = lab_.connect_fully(lab_.device_settings());
  lab_.accepted().clear();  // no close_notify: somebody may have cut the data short
  ASSERT_TRUE(world_.until([&] { return client.over(); }));
  EXPECT_FALSE(client.ended());
  EXPECT_EQ(client.error(), Code::closed);
}

TEST_F(TlsTest, AcceptMayDestroyTheListener) {
  const auto context = must(lab_.transport().make_context(lab_.server_settings()));
  std::unique_ptr<os::Listener> listener;
  std::unique_ptr<SecureStream> accepted;
  listener = must(lab_.transport().listen(world_.loop(), {"127.0.0.1", 0}, context, [&](auto it) {
    accepted = std::move(it);
    listener.reset();
  }));
  bool done = false;
  for (int i = 0; i < 3; ++i) {
    lab_.transport().connect(world_.loop(), listener->endpoint(), lab_.device_settings(),
                             world_.loop().clock().mono() + seconds(1),
                             [&](auto stream) { done = done || stream.has_value(); });
  }
  EXPECT_TRUE(world_.until([&] { return done && accepted && !listener; }));
}

TEST(TlsSessions, AreBoundedAndNewestFirst) {
  TlsSessions sessions;
  EXPECT_EQ(sessions.take("a"), nullptr);
  std::vector<SSL_SESSION*> made;
  for (std::size_t i = 0; i < TlsSessions::kSessionsMax + 2; ++i) {
    made.push_back(SSL_SESSION_new());
    sessions.put("a", SessionPtr(made.back()));
  }
  for (std::size_t i = 0; i < TlsSessions::kSessionsMax; ++i) {
    EXPECT_EQ(sessions.take("a").get(), made[made.size() - 1 - i]);
  }
  EXPECT_EQ(sessions.take("a"), nullptr);
  for (std::size_t i = 0; i < TlsSessions::kServersMax + 1; ++i) {
    sessions.put("s" + std::to_string(i), SessionPtr(SSL_SESSION_new()));
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < TlsSessions::kServersMax + 1; ++i) {
    if (sessions.take("s" + std::to_string(i))) ++kept;
  }
  EXPECT_EQ(kept, TlsSessions::kServersMax);
}

// A ticket carries only the leaf, so a chain that the client completed could not be checked again.
TEST_F(TlsTest, NoTicketForAChainThatOnlyTheClientKnows) {
  auto server = lab_.server_settings();
  server.trust_der = {lab_.pki().root_der()};
  lab_.serve(std::move(server));
  device_.chain_der.push_back(lab_.pki().issuing_der());
  const auto settings = resuming(make_client_sessions());
  connect_and_take_ticket(settings);
  Ear& again = lab_.connect_fully(settings);
  EXPECT_FALSE(again.stream().peer().resumed);
  EXPECT_FALSE(again.over());
}

// ---- figures

TEST(TlsFigures, MemoryOfAnIdleConnection) {
  if (::mallinfo2().uordblks == 0) GTEST_SKIP() << "this allocator keeps no figures";
  os::RealWorld world;
  Lab lab(world, Wire::tls);
  lab.serve(lab.server_settings());
  const auto settings = lab.device_settings();
  constexpr std::size_t kCount = 200;
  std::vector<std::unique_ptr<Ear>> clients;
  for (std::size_t i = 0; i < kCount; ++i) {
    clients.push_back(std::move(lab.connect(settings).connected));
  }
  ASSERT_TRUE(world.until([&] { return lab.accepted().size() == kCount; }));
  world.settle();
  const auto before = ::mallinfo2().uordblks;
  lab.accepted().clear();
  const auto after = ::mallinfo2().uordblks;
  const double each = static_cast<double>(before - after) / kCount / 1024;
  std::printf("heap of the server for an idle connection with a client leaf: %.1f KiB\n", each);
  EXPECT_GT(each, 5);
  EXPECT_LT(each, 26);
}

}  // namespace
}  // namespace holdfast::crypto
