// The client's half: one answer, whatever happens, and credentials that cannot work.
#include <gtest/gtest.h>

#include "libs/crypto/handshake.hpp"
#include "libs/crypto/seeded.hpp"
#include "libs/crypto/testing/transport_lab.hpp"

namespace holdfast::crypto {
namespace {

using testing::Lab;
using testing::must;
using testing::Wire;

class ConnectTest : public testing::TransportFixture {
 protected:
  // What connect() answered, and how often.
  struct Answers {
    unsigned count = 0;
    std::optional<Error> error;
  };
  void connect(Answers& answers, ClientSettings settings, Duration limit = seconds(5)) {
    lab().transport().connect(loop(), lab().endpoint(), std::move(settings),
                              loop().clock().mono() + limit,
                              [&answers](Result<std::unique_ptr<SecureStream>> stream) {
                                ++answers.count;
                                if (!stream) answers.error = stream.error();
                              });
  }
};
HOLDFAST_ALL_TRANSPORTS(ConnectTest);

TEST_P(ConnectTest, AnswersOnceAndNeverAtOnce) {
  lab().serve(lab().server_settings());
  Answers answers;
  connect(answers, lab().device_settings());
  EXPECT_EQ(answers.count, 0U);
  ASSERT_TRUE(until([&] { return answers.count > 0; }));
  world().settle();
  EXPECT_EQ(answers.count, 1U);
  EXPECT_FALSE(answers.error);
}

TEST_P(ConnectTest, SaysWhereItWanted) {
  lab().serve(lab().server_settings());
  auto settings = lab().device_settings();
  settings.trust_der = {};
  Answers answers;
  connect(answers, std::move(settings));
  ASSERT_TRUE(until([&] { return answers.count > 0; }));
  EXPECT_NE(answers.error->text().find(lab().endpoint().text()), std::string::npos);
}

TEST_P(ConnectTest, TrustMustBeCas) {
  lab().serve(lab().server_settings());
  auto settings = lab().device_settings();
  settings.trust_der = {pki().device("dev_2").chain_der[0]};
  Answers answers;
  connect(answers, settings);
  settings.trust_der = {bytes_of("junk")};
  connect(answers, settings);
  ASSERT_TRUE(until([&] { return answers.count == 2; }));
  EXPECT_EQ(answers.error->code, Code::server_untrusted);
}

TEST_P(ConnectTest, AFingerprintOfAnotherLengthFitsNothing) {
  lab().serve(lab().server_settings());
  auto settings = lab().device_settings();
  settings.trust_fingerprint = Bytes(31, 0);
  Answers answers;
  connect(answers, settings);
  settings.trust_fingerprint = Bytes();
  connect(answers, settings);
  ASSERT_TRUE(until([&] { return answers.count == 2; }));
  EXPECT_EQ(answers.error->code, Code::server_untrusted);
}

TEST_P(ConnectTest, AServerThatHangsUp) {
  const auto rude = must(world().system().network.listen(
      loop(), {"127.0.0.1", 0}, [&](std::unique_ptr<os::Stream> stream) { stream->close(); }));
  Answers answers;
  lab().transport().connect(loop(), rude->endpoint(), lab().device_settings(),
                            loop().clock().mono() + seconds(5), [&](auto stream) {
                              ++answers.count;
                              answers.error = stream.error();
                            });
  ASSERT_TRUE(until([&] { return answers.count == 1; }));
  EXPECT_EQ(answers.error->code, Code::closed);
}

TEST_P(ConnectTest, AServerThatTalksNonsense) {
  std::vector<std::unique_ptr<os::Stream>> taken;
  const auto odd = must(world().system().network.listen(
      loop(), {"127.0.0.1", 0}, [&](std::unique_ptr<os::Stream> stream) {
        EXPECT_TRUE(stream->write(view_of("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")));
        taken.push_back(std::move(stream));
      }));
  Answers answers;
  lab().transport().connect(loop(), odd->endpoint(), lab().device_settings(),
                            loop().clock().mono() + seconds(5), [&](auto stream) {
                              ++answers.count;
                              answers.error = stream.error();
                            });
  ASSERT_TRUE(until([&] { return answers.count == 1; }));
  EXPECT_EQ(answers.error->code, Code::tls_failed);
}

// ---- credentials, which only TLS proves

class CredentialTest : public ::testing::Test {
 protected:
  os::SimWorld world_;
  Lab lab_{world_, Wire::tls};

  Error client_error(Credential credential) {
    auto settings = lab_.client_settings(std::move(credential));
    return lab_.connect(std::move(settings)).failed.value_or(Error{Code{}, {}, {}, {}, {}});
  }
  Error server_error(Credential credential) {
    auto settings = lab_.server_settings();
    settings.credential = std::move(credential);
    const auto made = lab_.transport().make_context(std::move(settings));
    return made ? Error{Code{}, {}, {}, {}, {}} : made.error();
  }
};

TEST_F(CredentialTest, TheKeyMustFitTheCertificate) {
  lab_.serve(lab_.server_settings());
  Credential device = lab_.pki().device("dev_1");
  device.key = must(PrivateKey::generate(KeyAlgorithm::p256));
  const Error why = client_error(device);
  EXPECT_EQ(why.code, Code::invalid_argument);
  EXPECT_NE(why.message.find("does not belong to the certificate \"CN=dev_1\""), std::string::npos);
  EXPECT_EQ(server_error(device).code, Code::invalid_argument);
}

TEST_F(CredentialTest, BothPartsMustBeThere) {
  lab_.serve(lab_.server_settings());
  Credential device = lab_.pki().device("dev_1");
  Credential no_key = device;
  no_key.key = PrivateKey();
  EXPECT_EQ(client_error(no_key).code, Code::invalid_argument);
  EXPECT_EQ(server_error(no_key).code, Code::invalid_argument);
  device.chain_der.clear();
  EXPECT_EQ(client_error(device).code, Code::invalid_argument);
  EXPECT_EQ(server_error(device).code, Code::invalid_argument);
}

TEST_F(CredentialTest, TheChainMustBeCertificates) {
  lab_.serve(lab_.server_settings());
  Credential server = lab_.pki().server();
  server.chain_der[1] = bytes_of("junk");
  EXPECT_EQ(server_error(server).code, Code::certificate_invalid);
  server.chain_der[0] = bytes_of("junk");
  EXPECT_EQ(server_error(server).code, Code::certificate_invalid);
  EXPECT_EQ(client_error(server).code, Code::certificate_invalid);
}

TEST_F(CredentialTest, AKeyThatIsOnlyPublicCannotAnswer) {
  // What a stolen certificate is worth: the thief has no key, so nothing is signed.
  const Credential device = lab_.pki().device("dev_1");
  const auto handle = device.key.public_key().handle();
  const PrivateKey hollow = must(PrivateKey::from_handle(handle));
  EXPECT_FALSE(hollow.sign(view_of("m")));
  lab_.serve(lab_.server_settings());
  const auto& attempt = lab_.connect(lab_.client_settings(Credential{device.chain_der, hollow}));
  EXPECT_TRUE(attempt.failed);
  EXPECT_TRUE(lab_.accepted().empty());
}

// ---- one seed, one run

class ReplayTest : public ::testing::TestWithParam<Wire> {
 protected:
  static std::uint64_t run(std::uint64_t seed, Wire wire) {
    os::sim::Simulation simulation(seed);
    os::sim::Node& server = simulation.node("server");
    os::sim::Node& client = simulation.node("client");
    const auto entropy = server.system();
    SeededRandom random(entropy.entropy);
    testing::Pki pki(simulation.wall());
    Metrics metrics;
    const auto make = wire == Wire::tls ? make_tls_transport : make_plain_transport;
    const auto there = make(server.system().network, metrics);
    const auto here = make(client.system().network, metrics);
    ServerSettings settings;
    settings.credential = pki.server({"server"});
    settings.trust_der = pki.trust();
    std::vector<std::unique_ptr<testing::Ear>> ears;
    const auto listener = must(there->listen(
        server.loop(), {"", 8883}, must(there->make_context(settings)), [&](auto stream) {
          static_cast<void>(stream->write(view_of("hi")));
          ears.push_back(std::make_unique<testing::Ear>(std::move(stream)));
        }));
    for (int i = 0; i < 5; ++i) {
      ClientSettings wanted;
      wanted.trust_der = {pki.root_der()};
      wanted.server_name = "server";
      wanted.credential = pki.device("dev_" + std::to_string(i));
      here->connect(client.loop(), {"server", 8883}, std::move(wanted),
                    client.loop().clock().mono() + seconds(5), [&](auto stream) {
                      ears.push_back(std::make_unique<testing::Ear>(must(std::move(stream))));
                    });
    }
    EXPECT_TRUE(simulation.run_until([&] { return ears.size() == 10; }, seconds(10)));
    simulation.run_for(seconds(1));
    return simulation.trace_hash();
  }
};

TEST_P(ReplayTest, TheSameSeedGivesTheSameRun) {
  EXPECT_EQ(run(5, GetParam()), run(5, GetParam()));
  EXPECT_NE(run(5, GetParam()), run(6, GetParam()));
}
INSTANTIATE_TEST_SUITE_P(Both, ReplayTest, ::testing::Values(Wire::tls, Wire::plain),
                         [](const auto& it) {
                           return std::string(it.param == Wire::tls ? "tls" : "plain");
                         });

}  // namespace
}  // namespace holdfast::crypto
