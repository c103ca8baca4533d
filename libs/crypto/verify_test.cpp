#include "libs/crypto/verify.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/testing/forge.hpp"

namespace holdfast::crypto {
namespace {

using testing::Forgery;
using testing::must;
using testing::Pki;

// Each test changes one thing of a leaf that is otherwise accepted, so that the refusal can only
// come from that thing.
class VerifyTest : public ::testing::Test {
 protected:
  Pki pki_{*from_rfc3339("2026-06-01T00:00:00Z")};
  std::shared_ptr<const TrustStore> trust_ = must(TrustStore::make(pki_.trust()));
  PrivateKey key_ = must(PrivateKey::generate(KeyAlgorithm::p256));
  Verification how_{Purpose::client, pki_.now(), true, {}};
  Forgery good_ = testing::good_leaf(pki_, kOidClientAuth, key_.public_key());

  std::string verdict(const Bytes& leaf, Code code = Code::certificate_invalid) {
    const auto chain = trust_->verify(leaf, {}, how_);
    if (chain) return "";
    EXPECT_EQ(chain.error().code, code) << chain.error().message;
    return chain.error().message;
  }
  std::string verdict(const Forgery& forgery, Code code = Code::certificate_invalid) {
    return verdict(testing::forge(forgery, pki_.issuing()), code);
  }
  static void has(const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << "\"" << text << "\" should say " << part;
  }
};

TEST_F(VerifyTest, AcceptsGoodLeaves) {
  EXPECT_EQ(verdict(good_), "");
  const Bytes device = pki_.device("dev_1").chain_der[0];
  const auto chain = must(trust_->verify(device, {}, how_));
  // With the issuing CA in the store the chain may end there.
  ASSERT_GE(chain.size(), 2U);
  EXPECT_EQ(chain[0], device);
  EXPECT_EQ(chain[1], pki_.issuing_der());
}

TEST_F(VerifyTest, BuildsChainsFromWhatThePeerSends) {
  const auto roots = must(TrustStore::make({pki_.root_der()}));
  const Bytes device = pki_.device("dev_1").chain_der[0];
  EXPECT_FALSE(roots->verify(device, {}, how_));
  const auto chain = must(roots->verify(device, {pki_.issuing_der()}, how_));
  EXPECT_EQ(chain, (std::vector<Bytes>{device, pki_.issuing_der(), pki_.root_der()}));
  const auto issuing_only = must(TrustStore::make({pki_.issuing_der()}));
  EXPECT_EQ(must(issuing_only->verify(device, {}, how_)).size(), 2U);
}

TEST_F(VerifyTest, RefusesOtherCas) {
  Pki other(pki_.now());  // the same names, other keys
  EXPECT_NE(verdict(other.device("dev_1").chain_der[0]), "");
  const auto chain = trust_->verify(other.device("dev_1").chain_der[0],
                                    {other.issuing_der(), other.root_der()}, how_);
  EXPECT_FALSE(chain);
  const auto empty = must(TrustStore::make({}));
  EXPECT_FALSE(empty->verify(pki_.device("dev_1").chain_der[0], {}, how_));
}

TEST_F(VerifyTest, TimesCount) {
  how_.now = pki_.now() + days(31);
  has(verdict(good_, Code::certificate_expired), "it ended 2026-07-01T00:00:00Z");
  how_.now = pki_.now() - days(2);
  has(verdict(good_), "not yet valid");
  how_.check_times = false;  // a device whose clock is at 1970
  how_.now = {};
  EXPECT_EQ(verdict(good_), "");
}

TEST_F(VerifyTest, RefusesChangedBytes) {
  Bytes leaf = testing::forge(good_, pki_.issuing());
  leaf.back() ^= 1;
  EXPECT_NE(verdict(leaf), "");
  EXPECT_NE(verdict(bytes_of("junk")), "");
}

// ---- what plain OpenSSL lets pass (reference: x509-limbo's false accepts)

TEST_F(VerifyTest, ExtendedKeyUsageMustNameThePurpose) {
  Forgery it = good_;
  it.drop(kOidExtendedKeyUsage);
  has(verdict(it), "it has no extendedKeyUsage");
  it = good_;
  it.at(kOidExtendedKeyUsage).value = der::wrap(der::kSequence, View());
  has(verdict(it), "extendedKeyUsage is empty");
  it.at(kOidExtendedKeyUsage).value = der::sequence({der::put_oid(kOidAnyUsage)});
  has(verdict(it), "does not name clientAuth");
  it.at(kOidExtendedKeyUsage).value = der::sequence({der::put_oid(kOidServerAuth)});
  has(verdict(it), "does not name clientAuth");
  it.at(kOidExtendedKeyUsage).value =
      der::sequence({der::put_oid(kOidServerAuth), der::put_oid(kOidClientAuth)});
  EXPECT_EQ(verdict(it), "");
}

TEST_F(VerifyTest, CasAreNoLeaves) {
  Forgery it = good_;
  it.at(kOidBasicConstraints).value = der::sequence({der::put_boolean(true)});
  it.at(kOidKeyUsage).value = testing::key_usage_value(2, 0x84);
  has(verdict(it), "it is a CA's");
  has(verdict(pki_.issuing_der()), "it is a CA's");
  has(verdict(pki_.root_der()), "it is a CA's");
  it = good_;
  it.at(kOidKeyUsage).value = testing::key_usage_value(2, 0x84);  // keyCertSign on a leaf
  has(verdict(it), "allows to sign certificates");
}

TEST_F(VerifyTest, OldVersions) {
  Forgery it = good_;
  it.extensions.clear();
  it.version = std::nullopt;
  has(verdict(it), "version 1");
}

TEST_F(VerifyTest, Serials) {
  Forgery it = good_;
  it.serial = der::put_integer(0);
  has(verdict(it), "zero");
  it.serial = der::wrap(der::kInteger, Bytes{0x81});
  has(verdict(it), "negative");
  it.serial = der::put_unsigned(Bytes(20, 0x80));  // 21 bytes with its leading zero
  has(verdict(it), "20 bytes");
  it.serial = der::put_unsigned(Bytes(20, 0x11));
  EXPECT_EQ(verdict(it), "");
}

TEST_F(VerifyTest, ExtensionsOfALeaf) {
  Forgery it = good_;
  it.extensions.push_back({"2.5.29.30", false, der::wrap(der::kSequence, View())});
  has(verdict(it), "nameConstraints");
  it = good_;
  it.extensions.push_back({"1.3.6.1.4.1.99999.1", true, der::put_integer(1)});
  has(verdict(it), "critical extension 1.3.6.1.4.1.99999.1");
  it.extensions.back().critical = false;
  EXPECT_EQ(verdict(it), "");
  it = good_;
  it.drop(kOidAuthorityKeyId);
  has(verdict(it), "authority key identifier");
}

TEST_F(VerifyTest, KeyUsageMustAllowSignatures) {
  Forgery it = good_;
  it.at(kOidKeyUsage).value = testing::key_usage_value(5, 0x20);  // keyEncipherment only
  has(verdict(it), "digital signatures");
  it.drop(kOidKeyUsage);  // absent means unrestricted (RFC 5280 4.2.1.3)
  EXPECT_EQ(verdict(it), "");
}

TEST_F(VerifyTest, KeysAndSignatures) {
  Forgery it = good_;
  Bytes modulus(128, 0xC5);
  const Bytes numbers = der::sequence({der::put_unsigned(modulus), der::put_integer(65537)});
  it.spki = der::sequence(
      {der::sequence({der::put_oid("1.2.840.113549.1.1.1"), der::wrap(der::kNull, View())}),
       der::put_bit_string(numbers)});
  has(verdict(it), "too few");  // 1024 bits
  Certificate leaf = must(parse_certificate(testing::forge(good_, pki_.issuing())));
  leaf.signature_oid = "1.2.840.113549.1.1.5";  // SHA-1 with RSA
  has(check_leaf_profile(leaf, Purpose::client).error().message, "not with SHA-2");
}

// ---- servers

TEST_F(VerifyTest, ServersMustNameTheHost) {
  how_.purpose = Purpose::server;
  const Bytes server = pki_.server({"hub.example", "*.fleet.example"}, {"192.0.2.7"}).chain_der[0];
  for (const char* host : {"", "hub.example", "HUB.example", "hub.example.", "a.fleet.example",
                           "192.0.2.7", "::1", "0:0::1", "localhost"}) {
    how_.host = host;
    EXPECT_EQ(verdict(server), "") << host;
  }
  for (const char* host : {"other.example", "fleet.example", "a.b.fleet.example", "192.0.2.8",
                           "holdfast", "hub.example.evil.example", "*.fleet.example"}) {
    how_.host = host;
    has(verdict(server), "does not name \"" + std::string(host));
  }
  how_.host = "hub.example";
  how_.purpose = Purpose::client;
  has(verdict(server), "does not name clientAuth");
}

TEST_F(VerifyTest, DevicesAreNoServers) {
  how_.purpose = Purpose::server;
  has(verdict(good_), "does not name serverAuth");
}

// ---- CAs

TEST_F(VerifyTest, StoresTakeOnlyCas) {
  EXPECT_EQ(TrustStore::make({pki_.device("dev_1").chain_der[0]}).error().code,
            Code::certificate_invalid);
  EXPECT_FALSE(TrustStore::make({bytes_of("junk")}));
  EXPECT_EQ(trust_->cas().size(), 2U);
}

TEST_F(VerifyTest, CasNeedTheirProfile) {
  Forgery ca = good_;
  ca.subject = put_name("Sub CA", {}, {});
  ca.extensions = {
      {std::string(kOidBasicConstraints), true, der::sequence({der::put_boolean(true)})},
      {std::string(kOidKeyUsage), true, testing::key_usage_value(2, 0x04)},
      {std::string(kOidSubjectKeyId), false, der::wrap(der::kOctetString, Bytes(20, 1))},
      good_.at(kOidAuthorityKeyId),
  };
  const auto check = [&](const Forgery& it) {
    const auto ok = check_ca_profile(must(parse_certificate(testing::forge(it, pki_.issuing()))));
    return ok ? std::string() : ok.error().message;
  };
  ASSERT_EQ(check(ca), "");
  Forgery it = ca;
  it.at(kOidBasicConstraints).critical = false;
  has(check(it), "not critical");
  it = ca;
  it.at(kOidKeyUsage).value = testing::key_usage_value(7, 0x80);
  has(check(it), "sign certificates");
  it = ca;
  it.drop(kOidSubjectKeyId);
  has(check(it), "subject key identifier");
  it = ca;
  it.drop(kOidBasicConstraints);
  has(check(it), "no CA");
}

TEST_F(VerifyTest, PathLengthIsKept) {
  // The issuing CA has path length 0: what it lets sign cannot be a CA that signs in turn.
  Forgery ca = good_;
  ca.subject = put_name("Sub CA", {}, {});
  ca.at(kOidBasicConstraints).value = der::sequence({der::put_boolean(true)});
  ca.at(kOidKeyUsage).value = testing::key_usage_value(2, 0x04);
  ca.drop(kOidExtendedKeyUsage);
  const Issuer sub = {must(parse_certificate(testing::forge(ca, pki_.issuing()))), key_};
  Forgery leaf = good_;
  leaf.at(kOidAuthorityKeyId).value = der::sequence({der::wrap(der::context_tag(0), Bytes(20, 1))});
  const auto roots = must(TrustStore::make({pki_.root_der()}));
  const auto chain =
      roots->verify(testing::forge(leaf, sub), {sub.certificate.der, pki_.issuing_der()}, how_);
  ASSERT_FALSE(chain);
  has(chain.error().message, "path length");
}

TEST_F(VerifyTest, ChainsAreBounded) {
  const Bytes device = pki_.device("dev_1").chain_der[0];
  EXPECT_FALSE(trust_->verify(device, std::vector<Bytes>(9, pki_.issuing_der()), how_));
  EXPECT_FALSE(trust_->verify(device, {bytes_of("junk")}, how_));
}

}  // namespace
}  // namespace holdfast::crypto
