// Whole chains against the rules of RFC 5280, in the groups of x509-limbo: path length, key usage,
// name constraints, key identifiers, criticality, validity. What must pass passes, so that a
// refusal means the rule and not an accident of the forgery.
#include <gtest/gtest.h>

#include "libs/crypto/testing/forge.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {
namespace {

using testing::Forgery;
using testing::must;
using testing::Pki;

class ChainTest : public ::testing::Test {
 protected:
  Pki pki_{*from_rfc3339("2026-06-01T00:00:00Z")};
  PrivateKey leaf_key_ = must(PrivateKey::generate(KeyAlgorithm::p256));
  Verification how_{Purpose::client, pki_.now(), true, {}};

  // A CA below the root; names and keys of its own.
  struct Ca {
    Forgery body;
    PrivateKey key = must(PrivateKey::generate(KeyAlgorithm::p256));
    Issuer issuer(const Issuer& above) const {
      return {must(parse_certificate(testing::forge(body, above))), key};
    }
  };

  static Bytes key_id(std::uint8_t which) { return Bytes(20, which); }
  static Bytes authority(View id) { return der::sequence({der::wrap(der::context_tag(0), id)}); }

  Ca ca(std::uint8_t which, View above_id, std::optional<unsigned> path_length = {}) {
    Ca made;
    made.body.not_before = pki_.now() - days(10);
    made.body.not_after = pki_.now() + days(100);
    made.body.subject = put_name("CA " + std::to_string(which), {}, {});
    made.body.spki = made.key.public_key().spki_der();
    const Bytes length = path_length ? der::put_integer(*path_length) : Bytes();
    made.body.extensions = {
        {std::string(kOidBasicConstraints), true, der::sequence({der::put_boolean(true), length})},
        {std::string(kOidKeyUsage), true, testing::key_usage_value(1, 0x06)},
        {std::string(kOidSubjectKeyId), false, der::wrap(der::kOctetString, key_id(which))},
        {std::string(kOidAuthorityKeyId), false, authority(above_id)},
    };
    return made;
  }

  Forgery leaf(std::uint8_t ca_which, std::string_view purpose = kOidClientAuth) {
    Forgery made = testing::good_leaf(pki_, purpose, leaf_key_.public_key());
    made.at(kOidAuthorityKeyId).value = authority(key_id(ca_which));
    made.at(kOidSubjectKeyId).value = der::wrap(der::kOctetString, key_id(99));
    return made;
  }

  View root_id() { return pki_.root().certificate.subject_key_id; }

  std::string verdict(const Bytes& leaf_der, const std::vector<Issuer>& between) {
    const auto roots = must(TrustStore::make({pki_.root_der()}));
    std::vector<Bytes> others;
    for (const Issuer& one : between) others.push_back(one.certificate.der);
    const auto chain = roots->verify(leaf_der, others, how_);
    return chain ? "" : chain.error().message;
  }
  // Root, one CA, leaf.
  std::string verdict(const Ca& between, const Forgery& leaf_body) {
    const Issuer issuer = between.issuer(pki_.root());
    return verdict(testing::forge(leaf_body, issuer), {issuer});
  }
  static void says(const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << "\"" << text << "\" should say " << part;
  }
};

TEST_F(ChainTest, TheUnchangedChainPasses) {
  EXPECT_EQ(verdict(ca(1, root_id()), leaf(1)), "");
}

// ---- path length (RFC 5280 4.2.1.9)

TEST_F(ChainTest, PathLengths) {
  const auto two_below = [&](std::optional<unsigned> first, std::optional<unsigned> second) {
    const Issuer one = ca(1, root_id(), first).issuer(pki_.root());
    const Issuer two = ca(2, key_id(1), second).issuer(one);
    return verdict(testing::forge(leaf(2), two), {two, one});
  };
  EXPECT_EQ(two_below(std::nullopt, std::nullopt), "");
  EXPECT_EQ(two_below(1, 0), "");
  EXPECT_EQ(two_below(1, std::nullopt), "");
  EXPECT_EQ(two_below(5, 9), "");  // the lower may claim more, it only counts from above
  says(two_below(0, std::nullopt), "path length");
  says(two_below(0, 0), "path length");
}

TEST_F(ChainTest, ChainsAreNotTooLong) {
  std::vector<Issuer> below;
  const Issuer* above = &pki_.root();
  Bytes id(root_id().begin(), root_id().end());
  below.reserve(8);
  for (std::uint8_t i = 1; i <= 6; ++i) {
    below.push_back(ca(i, id).issuer(*above));
    above = &below.back();
    id = key_id(i);
    const std::string result = verdict(testing::forge(leaf(i), *above), below);
    EXPECT_EQ(result.empty(), i <= kChainDepthMax) << int{i} << result;
  }
}

// ---- who is a CA (4.2.1.9, 4.2.1.3)

TEST_F(ChainTest, OnlyCasSign) {
  Ca it = ca(1, root_id());
  it.body.drop(kOidBasicConstraints);
  EXPECT_NE(verdict(it, leaf(1)), "");
  it = ca(1, root_id());
  it.body.at(kOidBasicConstraints).value = der::wrap(der::kSequence, View());
  EXPECT_NE(verdict(it, leaf(1)), "");
  it = ca(1, root_id());
  it.body.at(kOidBasicConstraints).critical = false;
  EXPECT_NE(verdict(it, leaf(1)), "");
  it = ca(1, root_id());
  it.body.at(kOidKeyUsage).value = testing::key_usage_value(7, 0x80);
  EXPECT_NE(verdict(it, leaf(1)), "");
  it = ca(1, root_id());
  it.body.drop(kOidKeyUsage);
  EXPECT_NE(verdict(it, leaf(1)), "");
  it = ca(1, root_id());
  it.body.version = std::nullopt;
  it.body.extensions.clear();
  EXPECT_NE(verdict(it, leaf(1)), "");
}

TEST_F(ChainTest, ADeviceCannotSignAnother) {
  const Credential device = pki_.device("dev_1");
  const Issuer bad = {must(parse_certificate(device.chain_der[0])), device.key};
  Forgery forged = leaf(1);
  forged.at(kOidAuthorityKeyId).value = authority(bad.certificate.subject_key_id);
  const auto trust = must(TrustStore::make(pki_.trust()));
  EXPECT_FALSE(trust->verify(testing::forge(forged, bad), {device.chain_der[0]}, how_));
}

// ---- extended key usage of CAs

TEST_F(ChainTest, ACaMayBeLimitedToAPurpose) {
  Ca it = ca(1, root_id());
  it.body.extensions.push_back(
      {std::string(kOidExtendedKeyUsage), false, der::sequence({der::put_oid(kOidServerAuth)})});
  EXPECT_NE(verdict(it, leaf(1)), "");
  it.body.at(kOidExtendedKeyUsage).value = der::sequence({der::put_oid(kOidClientAuth)});
  EXPECT_EQ(verdict(it, leaf(1)), "");
}

// ---- key identifiers (4.2.1.1, 4.2.1.2)

TEST_F(ChainTest, KeyIdentifiersMustFit) {
  EXPECT_NE(verdict(ca(1, root_id()), leaf(7)), "");  // the leaf names another authority
  Ca it = ca(1, root_id());
  it.body.drop(kOidSubjectKeyId);
  EXPECT_NE(verdict(it, leaf(1)), "");
  it = ca(1, root_id());
  it.body.drop(kOidAuthorityKeyId);
  EXPECT_NE(verdict(it, leaf(1)), "");
  it = ca(1, root_id());
  it.body.at(kOidAuthorityKeyId).critical = true;  // must not be critical
  EXPECT_NE(verdict(it, leaf(1)), "");
  it = ca(1, root_id());
  it.body.at(kOidSubjectKeyId).critical = true;
  EXPECT_NE(verdict(it, leaf(1)), "");
}

// ---- name constraints (4.2.1.10)

class NameConstraintsTest : public ChainTest {
 protected:
  // One subtree: permitted [0] or excluded [1], a DNS name.
  static Extension constraint(unsigned which, std::string_view dns) {
    const Bytes base = der::sequence({der::wrap(der::context_tag(2), view_of(dns))});
    return {"2.5.29.30", true, der::sequence({der::wrap(der::explicit_tag(which), base)})};
  }
  std::string server_under(const Extension& limit, std::string_view dns) {
    how_.purpose = Purpose::server;
    Ca it = ca(1, root_id());
    it.body.extensions.push_back(limit);
    Forgery server = leaf(1, kOidServerAuth);
    server.subject = der::wrap(der::kSequence, View());
    server.extensions.push_back({std::string(kOidSubjectAltName), true,
                                 der::sequence({der::wrap(der::context_tag(2), view_of(dns))})});
    return verdict(it, server);
  }
};

TEST_F(NameConstraintsTest, PermittedNames) {
  EXPECT_EQ(server_under(constraint(0, "example"), "hub.example"), "");
  EXPECT_EQ(server_under(constraint(0, "hub.example"), "hub.example"), "");
  says(server_under(constraint(0, "example"), "hub.other"), "permitted subtree");
  says(server_under(constraint(0, "example"), "hubexample"), "permitted subtree");
}

TEST_F(NameConstraintsTest, ExcludedNames) {
  EXPECT_EQ(server_under(constraint(1, "evil.example"), "hub.example"), "");
  says(server_under(constraint(1, "example"), "hub.example"), "excluded subtree");
}

// ---- criticality (4.2)

TEST_F(ChainTest, UnknownCriticalExtensionsOfACa) {
  Ca it = ca(1, root_id());
  it.body.extensions.push_back({"1.3.6.1.4.1.99999.2", true, der::put_integer(1)});
  EXPECT_NE(verdict(it, leaf(1)), "");
  it.body.extensions.back().critical = false;
  EXPECT_EQ(verdict(it, leaf(1)), "");
}

// ---- validity (4.1.2.5)

TEST_F(ChainTest, EveryCertificateOfTheChainMustBeInTime) {
  Ca it = ca(1, root_id());
  it.body.not_after = pki_.now() - seconds(1);
  says(verdict(it, leaf(1)), "certificate has expired");
  it = ca(1, root_id());
  it.body.not_before = pki_.now() + seconds(1);
  says(verdict(it, leaf(1)), "not yet valid");
  it = ca(1, root_id());
  it.body.not_after = pki_.now();  // the last second counts
  how_.now = pki_.now() - seconds(1);
  EXPECT_EQ(verdict(it, leaf(1)), "");
}

TEST_F(ChainTest, ALeafMayNotEndBeforeItStarts) {
  Forgery it = leaf(1);
  it.not_after = it.not_before - seconds(1);
  EXPECT_NE(verdict(ca(1, root_id()), it), "");
}

// ---- signatures and keys

TEST_F(ChainTest, EverySignatureIsChecked) {
  const Issuer one = ca(1, root_id()).issuer(pki_.root());
  Issuer changed = one;
  changed.certificate.der.back() ^= 1;
  EXPECT_NE(verdict(testing::forge(leaf(1), one), {changed}), "");
  // Signed by another key under the CA's name.
  const Issuer impostor = {one.certificate, must(PrivateKey::generate(KeyAlgorithm::p256))};
  EXPECT_NE(verdict(testing::forge(leaf(1), impostor), {one}), "");
}

TEST_F(ChainTest, CasWithWeakKeysAreNoCas) {
  Ca it = ca(1, root_id());
  const Bytes numbers =
      der::sequence({der::put_unsigned(Bytes(128, 0xC5)), der::put_integer(65537)});
  it.body.spki = der::sequence(
      {der::sequence({der::put_oid("1.2.840.113549.1.1.1"), der::wrap(der::kNull, View())}),
       der::put_bit_string(numbers)});
  const Bytes weak = testing::forge(it.body, pki_.root());
  says(check_ca_profile(must(parse_certificate(weak))).error().message, "too few");
  EXPECT_FALSE(TrustStore::make({weak}));
}

TEST_F(ChainTest, SelfSignedLeavesAreNobody) {
  Forgery it = leaf(1);
  it.subject = put_name("dev_1", {}, {});
  const Certificate name_only = must(parse_certificate(testing::forge(it, pki_.root())));
  Issuer self = {name_only, leaf_key_};
  self.certificate.subject_der = it.subject;
  it.at(kOidAuthorityKeyId).value = authority(key_id(99));
  const Bytes signed_by_itself = testing::forge(it, self);
  EXPECT_NE(verdict(signed_by_itself, {}), "");
  EXPECT_FALSE(TrustStore::make({signed_by_itself}));
}

}  // namespace
}  // namespace holdfast::crypto
