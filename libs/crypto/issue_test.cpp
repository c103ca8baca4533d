#include "libs/crypto/issue.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "libs/crypto/der.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/crypto/testing/openssl_cli.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;
using testing::Pki;

const WallTime kIssueNow = *from_rfc3339("2026-06-01T00:00:00Z");

class IssueTest : public ::testing::Test {
 protected:
  Pki pki_{kIssueNow};
  PrivateKey key_ = must(PrivateKey::generate(KeyAlgorithm::p256));

  std::string refusal(const CertificateRequestSpec& spec) {
    const auto made = issue_certificate(spec, key_.public_key(), pki_.issuing());
    if (made) return "";
    EXPECT_EQ(made.error().code, Code::invalid_argument);
    return made.error().message;
  }
  static bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }
};

TEST_F(IssueTest, DeviceCertificateSaysWhatTheContractSays) {
  const Credential device = pki_.device("dev_01J9Z3K5M7N8P9Q0R1S2T3V4W5");
  const Certificate it = must(parse_certificate(device.chain_der[0]));
  EXPECT_EQ(it.version, 3);
  EXPECT_EQ(it.serial.size(), kSerialBytes);
  EXPECT_LT(it.serial[0], 0x80);
  EXPECT_GT(it.serial[0], 0);
  EXPECT_EQ(it.signature_oid, "1.2.840.10045.4.3.2");
  EXPECT_EQ(it.subject, "CN=dev_01J9Z3K5M7N8P9Q0R1S2T3V4W5");
  EXPECT_EQ(it.issuer, "CN=Test issuing CA");
  EXPECT_EQ(it.not_before, kIssueNow - days(1));
  EXPECT_EQ(it.not_after, kIssueNow + days(90));
  EXPECT_EQ(it.spki_der, device.key.public_key().spki_der());
  EXPECT_EQ(*it.key_usage, kDigitalSignature);
  EXPECT_TRUE(it.find("2.5.29.15")->critical);
  EXPECT_TRUE(it.find("2.5.29.19")->critical);
  EXPECT_FALSE(it.basic_constraints->ca);
  EXPECT_EQ(*it.extended_usage, std::vector<std::string>{std::string(kOidClientAuth)});
  EXPECT_EQ(it.names->uris,
            std::vector<std::string>{"urn:holdfast:dev_01J9Z3K5M7N8P9Q0R1S2T3V4W5"});
  EXPECT_EQ(it.subject_key_id.size(), 20U);
  EXPECT_EQ(it.authority_key_id, pki_.issuing().certificate.subject_key_id);
  EXPECT_TRUE(must(it.public_key()) == device.key.public_key());
}

TEST_F(IssueTest, CasSayWhatTheyMayDo) {
  const Certificate root = must(parse_certificate(pki_.root_der()));
  EXPECT_TRUE(root.self_issued());
  EXPECT_EQ(*root.key_usage, kKeyCertSign | kCrlSign);
  EXPECT_EQ(root.basic_constraints, (BasicConstraints{true, std::nullopt}));
  EXPECT_EQ(root.authority_key_id, root.subject_key_id);
  const Certificate issuing = must(parse_certificate(pki_.issuing_der()));
  EXPECT_EQ(issuing.basic_constraints, (BasicConstraints{true, 0}));
  EXPECT_FALSE(issuing.extended_usage);
}

TEST_F(IssueTest, OpensslVerifiesEveryProfileStrictly) {
  testing::OpensslCli openssl;
  const std::string root = openssl.put_certificate("root.pem", pki_.root_der());
  const std::string issuing = openssl.put_certificate("issuing.pem", pki_.issuing_der());
  const std::string device =
      openssl.put_certificate("device.pem", pki_.device("dev_1").chain_der[0]);
  const std::string server = openssl.put_certificate(
      "server.pem", pki_.server({"hub.example"}, {"192.0.2.7"}).chain_der[0]);
  const std::string at = std::to_string(kIssueNow.us / 1'000'000);
  const auto verify = [&](const std::string& leaf, const std::string& purpose,
                          const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"verify",   "-x509_strict", "-attime",    at,
                                          "-CAfile",  root,           "-untrusted", issuing,
                                          "-purpose", purpose};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.push_back(leaf);
    return openssl.run(arguments);
  };
  EXPECT_EQ(verify(device, "sslclient", {}).status, 0) << verify(device, "sslclient", {}).err;
  EXPECT_EQ(verify(server, "sslserver", {}).status, 0);
  EXPECT_EQ(verify(server, "sslserver", {"-verify_hostname", "hub.example"}).status, 0);
  EXPECT_EQ(verify(server, "sslserver", {"-verify_ip", "192.0.2.7"}).status, 0);
  EXPECT_NE(verify(server, "sslserver", {"-verify_hostname", "other.example"}).status, 0);
  EXPECT_NE(verify(device, "sslserver", {}).status, 0);
  EXPECT_NE(verify(server, "sslclient", {}).status, 0);
}

TEST_F(IssueTest, AllKindsOfKeysSignAndAreCertified) {
  for (const KeyAlgorithm algorithm :
       {KeyAlgorithm::p384, KeyAlgorithm::ed25519, KeyAlgorithm::rsa}) {
    testing::OpensslCli openssl;
    Pki pki(kIssueNow, algorithm);
    const Credential device = pki.device("dev_1");
    const std::string ca = openssl.put("ca.pem", certificates_to_pem(pki.trust()));
    const os::Exit exit =
        openssl.run({"verify", "-x509_strict", "-attime", std::to_string(kIssueNow.us / 1'000'000),
                     "-CAfile", ca, openssl.put_certificate("d.pem", device.chain_der[0])});
    EXPECT_EQ(exit.status, 0) << name_of(algorithm) << exit.err;
  }
}

TEST_F(IssueTest, SerialsAreAlwaysSixteenPositiveBytes) {
  for (const int fill : {0x00, 0x7F, 0x80, 0xFF}) {
    std::array<std::uint8_t, kSerialBytes> random;
    random.fill(static_cast<std::uint8_t>(fill));
    auto spec = pki_.spec(Profile::device, "dev_1");
    spec.serial = make_serial(random);
    const Bytes der = must(issue_certificate(spec, key_.public_key(), pki_.issuing()));
    EXPECT_EQ(must(parse_certificate(der)).serial, spec.serial);
    EXPECT_EQ(spec.serial.size(), 16U);
  }
}

TEST_F(IssueTest, AddsExtensionsButNeverItsOwnTwice) {
  auto spec = pki_.spec(Profile::device, "dev_1");
  spec.extensions = {{"1.3.6.1.4.1.99999.1", false, der::put_integer(3)}};
  const Bytes der = must(issue_certificate(spec, key_.public_key(), pki_.issuing()));
  EXPECT_EQ(must(parse_certificate(der)).find("1.3.6.1.4.1.99999.1")->value, der::put_integer(3));
  spec.extensions = {{"2.5.29.19", true, der::put_integer(3)}};
  EXPECT_TRUE(has(refusal(spec), "there already"));
  spec.extensions = {{"1.2.3", false, {}}, {"1.2.3", false, {}}};
  EXPECT_TRUE(has(refusal(spec), "there already"));
  spec.extensions = {{"not.an.oid", false, {}}};
  EXPECT_TRUE(has(refusal(spec), "no object identifier"));
}

TEST_F(IssueTest, RefusesWhatNoCertificateMayHave) {
  const auto good = pki_.spec(Profile::device, "dev_1");
  ASSERT_EQ(refusal(good), "");
  auto spec = good;
  spec.serial = {};
  EXPECT_TRUE(has(refusal(spec), "serial"));
  spec.serial = {0x80};
  EXPECT_TRUE(has(refusal(spec), "serial"));
  spec.serial = Bytes(21, 1);
  EXPECT_TRUE(has(refusal(spec), "serial"));
  spec = good;
  spec.common_name = "";
  EXPECT_TRUE(has(refusal(spec), "common name"));
  spec.common_name = std::string(65, 'a');
  EXPECT_TRUE(has(refusal(spec), "64 bytes"));
  spec.common_name = std::string("a\0b", 3);
  EXPECT_TRUE(has(refusal(spec), "UTF-8"));
  spec = good;
  spec.not_after = spec.not_before;
  EXPECT_TRUE(has(refusal(spec), "validity"));
  spec.not_before = *from_rfc3339("1949-12-31T23:59:59Z");
  spec.not_after = kIssueNow;
  EXPECT_TRUE(has(refusal(spec), "1950"));
  for (auto [names, what] :
       {std::pair{AlternativeNames{{"a b"}, {}, {}, {}, 0}, "DNS name"},
        std::pair{AlternativeNames{{}, {"300.1.1.1"}, {}, {}, 0}, "IP address"},
        std::pair{AlternativeNames{{}, {}, {"no-scheme"}, {}, 0}, "URI"},
        std::pair{AlternativeNames{{}, {}, {}, {"nobody"}, 0}, "mail"},
        std::pair{AlternativeNames{{}, {}, {}, {}, 1}, "only DNS names"}}) {
    spec = good;
    spec.names = names;
    EXPECT_TRUE(has(refusal(spec), what)) << what;
  }
  spec = pki_.spec(Profile::server, "hub");
  EXPECT_TRUE(has(refusal(spec), "DNS name or an address"));
}

TEST_F(IssueTest, RefusesIssuersThatMayNot) {
  auto spec = pki_.spec(Profile::device, "dev_1");
  Issuer wrong_key = {pki_.issuing().certificate, pki_.root().key};
  EXPECT_FALSE(issue_certificate(spec, key_.public_key(), wrong_key));
  const Credential device = pki_.device("dev_2");
  Issuer leaf = {must(parse_certificate(device.chain_der[0])), device.key};
  EXPECT_TRUE(has(issue_certificate(spec, key_.public_key(), leaf).error().message, "no CA"));
  spec.not_after = kIssueNow + days(4000);
  EXPECT_TRUE(has(refusal(spec), "validity leaves that of the CA"));
  EXPECT_TRUE(has(refusal(pki_.spec(Profile::issuing_ca, "Below")), "further CAs"));
  EXPECT_TRUE(has(refusal(pki_.spec(Profile::root_ca, "Root")), "make_root"));
  EXPECT_FALSE(make_root(pki_.spec(Profile::device, "dev_1"), key_));
  EXPECT_FALSE(issue_certificate(pki_.spec(Profile::device, "dev_1"), {}, pki_.issuing()));
}

TEST_F(IssueTest, GeneralizedTimesForTheFarFuture) {
  auto wanted = pki_.spec(Profile::root_ca, "Long root");
  wanted.not_after = *from_rfc3339("2099-12-31T23:59:59Z");
  const Certificate root = must(parse_certificate(must(make_root(wanted, key_))));
  EXPECT_EQ(root.not_after, wanted.not_after);
}

// The figure that the fleet's renewal rests on; the goal counts for optimised builds.
TEST_F(IssueTest, Speed) {
  const PrivateKey device = must(PrivateKey::generate(KeyAlgorithm::p256));
  const Bytes request = must(make_csr({.common_name = "dev_1"}, device));
  constexpr int kCount = 300;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kCount; ++i) {
    const Csr csr = must(parse_csr(request));
    auto spec = pki_.spec(Profile::device, "dev_1");
    spec.names.uris = {"urn:holdfast:dev_1"};
    const Bytes der = must(issue_certificate(spec, csr.key, pki_.issuing()));
    ASSERT_GT(der.size(), 300U);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double a_second = kCount / took.count();
  std::printf("request checked, certificate issued: %.0f a second\n", a_second);
  EXPECT_GT(a_second, 200);  // sanitizers and a loaded machine included
}

}  // namespace
}  // namespace holdfast::crypto
