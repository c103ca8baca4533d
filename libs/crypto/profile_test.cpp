// The profile's rules on certificates as plain values: each rule alone, with the reason it gives.
#include <gtest/gtest.h>

#include "libs/crypto/oids.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;

struct ProfileCase {
  const char* name;
  const char* reason;  // "" when the change is allowed
  void (*change)(Certificate&);
};

Extension& extension_of(Certificate& it, std::string_view oid) {
  for (Extension& one : it.extensions) {
    if (one.oid == oid) return one;
  }
  std::abort();
}

class LeafProfileTest : public ::testing::TestWithParam<ProfileCase> {};

TEST_P(LeafProfileTest, Rule) {
  testing::Pki pki(*from_rfc3339("2026-06-01T00:00:00Z"));
  Certificate it = must(parse_certificate(pki.device("dev_1").chain_der[0]));
  ASSERT_TRUE(check_leaf_profile(it, Purpose::client));
  GetParam().change(it);
  const auto verdict = check_leaf_profile(it, Purpose::client);
  const std::string reason = GetParam().reason;
  EXPECT_EQ(verdict.has_value(), reason.empty());
  if (verdict) return;
  EXPECT_EQ(verdict.error().code, Code::certificate_invalid);
  EXPECT_NE(verdict.error().message.find(reason), std::string::npos) << verdict.error().message;
  EXPECT_NE(verdict.error().message.find("dev_1"), std::string::npos);  // and whose it is
}

const ProfileCase kLeafCases[] = {
    {"Version1", "version 1", [](Certificate& it) { it.version = 1; }},
    {"Version2", "version 2", [](Certificate& it) { it.version = 2; }},
    {"SerialZero", "zero", [](Certificate& it) { it.serial = {0}; }},
    {"SerialNegative", "negative", [](Certificate& it) { it.serial = {0x80}; }},
    {"SerialLong", "20 bytes", [](Certificate& it) { it.serial = Bytes(21, 1); }},
    {"SerialOfTwenty", "", [](Certificate& it) { it.serial = Bytes(20, 1); }},
    {"SerialOfOne", "", [](Certificate& it) { it.serial = {1}; }},
    {"Sha1", "not with SHA-2", [](Certificate& it) { it.signature_oid = "1.2.840.10045.4.1"; }},
    {"Rsa", "", [](Certificate& it) { it.signature_oid = "1.2.840.113549.1.1.11"; }},
    {"KeyJunk", "not DER", [](Certificate& it) { it.spki_der = bytes_of("junk"); }},
    {"Ca", "it is a CA's", [](Certificate& it) { it.basic_constraints = {true, {}}; }},
    {"NoConstraints", "", [](Certificate& it) { it.basic_constraints = std::nullopt; }},
    {"NoUsage", "no extendedKeyUsage", [](Certificate& it) { it.extended_usage = std::nullopt; }},
    {"EmptyUsage", "is empty", [](Certificate& it) { it.extended_usage->clear(); }},
    {"AnyUsage", "does not name clientAuth",
     [](Certificate& it) { it.extended_usage = {std::string(kOidAnyUsage)}; }},
    {"ServerOnly", "does not name clientAuth",
     [](Certificate& it) { it.extended_usage = {std::string(kOidServerAuth)}; }},
    {"AnyAndClient", "",
     [](Certificate& it) { it.extended_usage->push_back(std::string(kOidAnyUsage)); }},
    {"NoKeyUsage", "", [](Certificate& it) { it.key_usage = std::nullopt; }},
    {"Encipherment", "digital signatures",
     [](Certificate& it) { it.key_usage = kKeyEncipherment; }},
    {"MoreUsages", "", [](Certificate& it) { it.key_usage = kDigitalSignature | kKeyAgreement; }},
    {"CertSign", "allows to sign certificates",
     [](Certificate& it) { it.key_usage = kDigitalSignature | kKeyCertSign; }},
    {"NameConstraints", "nameConstraints",
     [](Certificate& it) { it.extensions.push_back({"2.5.29.30", true, {}}); }},
    {"UnknownCritical", "1.2.3.4 is not known",
     [](Certificate& it) { it.extensions.push_back({"1.2.3.4", true, {}}); }},
    {"UnknownOther", "", [](Certificate& it) { it.extensions.push_back({"1.2.3.4", false, {}}); }},
    {"NoAuthority", "authority key identifier",
     [](Certificate& it) { it.authority_key_id.clear(); }},
};
INSTANTIATE_TEST_SUITE_P(Rules, LeafProfileTest, ::testing::ValuesIn(kLeafCases),
                         [](const auto& it) { return std::string(it.param.name); });

class CaProfileTest : public ::testing::TestWithParam<ProfileCase> {};

TEST_P(CaProfileTest, Rule) {
  testing::Pki pki(*from_rfc3339("2026-06-01T00:00:00Z"));
  Certificate it = must(parse_certificate(pki.issuing_der()));
  ASSERT_TRUE(check_ca_profile(it));
  GetParam().change(it);
  const auto verdict = check_ca_profile(it);
  const std::string reason = GetParam().reason;
  EXPECT_EQ(verdict.has_value(), reason.empty());
  if (verdict) return;
  EXPECT_EQ(verdict.error().code, Code::certificate_invalid);
  EXPECT_NE(verdict.error().message.find(reason), std::string::npos) << verdict.error().message;
}

const ProfileCase kCaCases[] = {
    {"Version1", "version 1", [](Certificate& it) { it.version = 1; }},
    {"SerialZero", "zero", [](Certificate& it) { it.serial = {0}; }},
    {"Leaf", "no CA", [](Certificate& it) { it.basic_constraints->ca = false; }},
    {"NoConstraints", "no CA", [](Certificate& it) { it.basic_constraints = std::nullopt; }},
    {"NotCritical", "not critical",
     [](Certificate& it) { extension_of(it, kOidBasicConstraints).critical = false; }},
    {"NoKeyUsage", "sign certificates", [](Certificate& it) { it.key_usage = std::nullopt; }},
    {"NoCertSign", "sign certificates", [](Certificate& it) { it.key_usage = kCrlSign; }},
    {"NoKeyId", "subject key identifier", [](Certificate& it) { it.subject_key_id.clear(); }},
    {"Sha1", "SHA-2", [](Certificate& it) { it.signature_oid = "1.2.840.113549.1.1.5"; }},
    {"AnyPathLength", "", [](Certificate& it) { it.basic_constraints->path_length = {}; }},
};
INSTANTIATE_TEST_SUITE_P(Rules, CaProfileTest, ::testing::ValuesIn(kCaCases),
                         [](const auto& it) { return std::string(it.param.name); });

TEST(NamesHost, ComparesAsRfc9525Says) {
  Certificate it;
  EXPECT_FALSE(names_host(it, "hub.example"));
  it.subject_cn = "hub.example";
  EXPECT_FALSE(names_host(it, "hub.example"));  // the common name never counts
  it.names = AlternativeNames{{"Hub.Example", "*.fleet.example", "*.com", "f*.example", "1.2.3.4"},
                              {"192.0.2.7", "2001:db8::1"},
                              {},
                              {},
                              0};
  for (const char* host : {"hub.example", "HUB.EXAMPLE", "hub.example.", "a.fleet.example",
                           "192.0.2.7", "2001:db8::1", "2001:0DB8::0001"}) {
    EXPECT_TRUE(names_host(it, host)) << host;
  }
  for (const char* host :
       {"", ".", "hub.example..", "xhub.example", "hub.example.com", "fleet.example",
        "a.b.fleet.example", ".fleet.example", "x.com", "foo.example", "192.0.2.8", "2001:db8::2",
        "1.2.3.4", "hub example", "*.fleet.example"}) {
    EXPECT_FALSE(names_host(it, host)) << host;
  }
}

}  // namespace
}  // namespace holdfast::crypto
