// Programs that share no code with OpenSSL: GnuTLS (certtool, gnutls-cli) and strongSwan's pki.
#include <gtest/gtest.h>

#include "libs/crypto/testing/openssl_cli.hpp"
#include "libs/crypto/testing/threaded_server.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;
using testing::OpensslCli;
using testing::Pki;
using testing::ThreadedServer;

class InteropTest : public ::testing::Test {
 protected:
  OpensslCli cli_;
  Pki pki_{cli_.system().clock.wall()};

  std::string pem_key(KeyAlgorithm algorithm) {
    return cli_.put("key.pem", must(must(PrivateKey::generate(algorithm)).pkcs8_pem()));
  }
};

TEST_F(InteropTest, GnutlsVerifiesOurChains) {
  const std::string roots = cli_.put_certificate("root.pem", pki_.root_der());
  const auto verify = [&](const std::vector<Bytes>& chain, const std::string& purpose) {
    return cli_.run_program({"certtool", "--verify", "--load-ca-certificate", roots,
                             "--verify-purpose", purpose, "--infile",
                             cli_.put("chain.pem", certificates_to_pem(chain))});
  };
  std::vector<Bytes> device = {pki_.device("dev_1").chain_der[0], pki_.issuing_der()};
  const os::Exit good = verify(device, std::string(kOidClientAuth));
  EXPECT_EQ(good.status, 0) << good.out << good.err;
  EXPECT_NE(good.out.find("The certificate is trusted"), std::string::npos) << good.out;
  EXPECT_NE(verify(device, std::string(kOidServerAuth)).status, 0);
  EXPECT_EQ(verify(pki_.server().chain_der, std::string(kOidServerAuth)).status, 0);
  device[0].back() ^= 1;
  EXPECT_NE(verify(device, std::string(kOidClientAuth)).status, 0);
}

TEST_F(InteropTest, GnutlsReadsWhatWeWrite) {
  const os::Exit shown = cli_.run_program(
      {"certtool", "--certificate-info", "--inder"},
      text_of(pki_.server({"hub.example"}, {"192.0.2.7", "2001:db8::1"}).chain_der[0]));
  EXPECT_EQ(shown.status, 0) << shown.err;
  for (const char* part : {"Subject: CN=holdfast", "DNSname: hub.example", "IPAddress: 192.0.2.7",
                           "IPAddress: 2001:db8::1", "TLS WWW Server", "Digital signature",
                           "Certificate Authority (CA): FALSE", "ECDSA-SHA256"}) {
    EXPECT_NE(shown.out.find(part), std::string::npos) << part << "\n" << shown.out;
  }
}

TEST_F(InteropTest, StrongswanVerifiesOurChains) {
  const os::Exit exit =
      cli_.run_program({"pki", "--verify", "--in",
                        cli_.put_certificate("device.pem", pki_.device("dev_1").chain_der[0]),
                        "--cacert", cli_.put_certificate("issuing.pem", pki_.issuing_der()),
                        "--cacert", cli_.put_certificate("root.pem", pki_.root_der())});
  EXPECT_EQ(exit.status, 0) << exit.out << exit.err;
  EXPECT_NE(exit.out.find("certificate trusted"), std::string::npos) << exit.out;
}

TEST_F(InteropTest, WeReadTheirRequests) {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::p256, KeyAlgorithm::p384, KeyAlgorithm::rsa}) {
    const std::string key = pem_key(algorithm);
    const os::Exit swan = cli_.run_program({"pki", "--req", "--in", key, "--type", "priv", "--dn",
                                            "CN=Pump 3, serialNumber=42", "--san", "pump.example"});
    ASSERT_EQ(swan.status, 0) << swan.err;
    const Csr one = must(parse_csr(bytes_of(swan.out)));
    EXPECT_EQ(one.subject_cn, "Pump 3");
    EXPECT_EQ(one.subject_serial, "42");
    EXPECT_EQ(one.names->dns, std::vector<std::string>{"pump.example"});
    const os::Exit gnu = cli_.run_program(
        {"certtool", "--generate-request", "--load-privkey", key, "--template",
         cli_.put("template", "cn = \"Pump 4\"\ndns_name = \"pump.example\"\n"), "--outder"});
    ASSERT_EQ(gnu.status, 0) << gnu.err;
    const Csr two = must(parse_csr(bytes_of(gnu.out)));
    EXPECT_EQ(two.subject_cn, "Pump 4");
    EXPECT_TRUE(two.key == one.key);
  }
}

TEST_F(InteropTest, TheyReadOurRequests) {
  const Bytes csr = must(make_csr({.common_name = "Pump 3", .serial_number = "42"},
                                  must(PrivateKey::generate(KeyAlgorithm::p256))));
  const os::Exit shown = cli_.run_program({"certtool", "--crq-info", "--infile",
                                           cli_.put("r.pem", to_pem("CERTIFICATE REQUEST", csr))});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_NE(shown.out.find("CN=Pump 3"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("Self signature: verified"), std::string::npos) << shown.out;
}

TEST_F(InteropTest, GnutlsSpeaksToOurServer) {
  ServerSettings settings;
  settings.allow_tls12 = true;
  ThreadedServer server(cli_.system(), pki_, settings);
  const Credential device = pki_.device("dev_1");
  const auto client = [&](const std::string& versions) {
    return cli_.run_program({"gnutls-cli", "--x509cafile",
                             cli_.put_certificate("root.pem", pki_.root_der()), "--x509certfile",
                             cli_.put_certificate("device.pem", device.chain_der[0]),
                             "--x509keyfile", cli_.put("device.key", must(device.key.pkcs8_pem())),
                             "--priority", "NORMAL:-VERS-ALL:" + versions, "--port",
                             std::to_string(server.endpoint().port), "127.0.0.1"});
  };
  for (const auto& [version, name] :
       {std::pair{"+VERS-TLS1.3", "TLSv1.3"}, std::pair{"+VERS-TLS1.2", "TLSv1.2"}}) {
    const os::Exit exit = client(version);
    EXPECT_NE(exit.out.find("welcome"), std::string::npos) << exit.out << exit.err;
    EXPECT_EQ(server.peers().back().protocol, name);
    EXPECT_EQ(server.peers().back().certificate_der, device.chain_der[0]);
  }
  EXPECT_EQ(client("+VERS-TLS1.1").out.find("welcome"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::crypto
