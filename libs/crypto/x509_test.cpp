#include "libs/crypto/x509.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/testing/forge.hpp"
#include "libs/crypto/testing/openssl_cli.hpp"

namespace holdfast::crypto {
namespace {

using testing::Forgery;
using testing::must;
using testing::Pki;

class X509Test : public ::testing::Test {
 protected:
  Pki pki_{*from_rfc3339("2026-06-01T00:00:00Z")};
  PrivateKey key_ = must(PrivateKey::generate(KeyAlgorithm::p256));
  Forgery good_ = testing::good_leaf(pki_, kOidClientAuth, key_.public_key());

  Result<Certificate> parse(const Forgery& forgery) {
    return parse_certificate(testing::forge(forgery, pki_.issuing()));
  }
  std::string refusal(const Forgery& forgery) {
    const auto parsed = parse(forgery);
    if (parsed) return "";
    EXPECT_EQ(parsed.error().code, Code::certificate_invalid);
    return parsed.error().message;
  }
};

TEST_F(X509Test, ReadsWhatOpensslWrites) {
  testing::OpensslCli openssl;
  const std::string pem = openssl.output(
      {"req",
       "-x509",
       "-newkey",
       "ec",
       "-pkeyopt",
       "ec_paramgen_curve:P-256",
       "-nodes",
       "-keyout",
       openssl.path("k.pem"),
       "-subj",
       "/C=DE/O=Gr\xC3\xBC\xC3\x9F\x65, GmbH/CN=Pump 3",
       "-utf8",
       "-set_serial",
       "0x0102030405",
       "-days",
       "10",
       "-addext",
       "keyUsage=critical,digitalSignature",
       "-addext",
       "extendedKeyUsage=clientAuth,serverAuth",
       "-addext",
       "subjectAltName=DNS:a.example,IP:192.0.2.1,IP:2001:db8::1,URI:urn:x:1,email:a@b.example,"
       "RID:1.2.3"});
  const Certificate it = must(parse_certificate(must(certificates_from_pem(pem)).at(0)));
  EXPECT_EQ(it.version, 3);
  EXPECT_EQ(serial_text(it.serial), "0102030405");
  EXPECT_EQ(it.subject, "C=DE, O=Gr\xC3\xBC\xC3\x9F\x65\\, GmbH, CN=Pump 3");
  EXPECT_EQ(it.subject_cn, "Pump 3");
  EXPECT_TRUE(it.self_issued());
  EXPECT_EQ(it.names->dns, std::vector<std::string>{"a.example"});
  EXPECT_EQ(it.names->addresses, (std::vector<std::string>{"192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(it.names->uris, std::vector<std::string>{"urn:x:1"});
  EXPECT_EQ(it.names->mails, std::vector<std::string>{"a@b.example"});
  EXPECT_EQ(it.names->others, 1U);
  EXPECT_EQ(*it.key_usage, kDigitalSignature);
  EXPECT_EQ(it.extended_usage->size(), 2U);
  EXPECT_EQ(it.not_after - it.not_before, days(10));
  const std::string shown =
      openssl.output({"x509", "-noout", "-fingerprint", "-sha256", "-serial"}, pem);
  EXPECT_EQ(must(parse_fingerprint(shown.substr(shown.find('=') + 1, 95))), it.fingerprint);
  EXPECT_NE(shown.find("serial=" + serial_text(it.serial)), std::string::npos);
  EXPECT_EQ(must(it.public_key()).name(), "P-256");
}

TEST_F(X509Test, EveryExtensionIsListed) {
  good_.extensions.push_back({"1.3.6.1.4.1.99999.7", false, der::put_integer(1)});
  const Certificate it = must(parse(good_));
  EXPECT_EQ(it.extensions.size(), 6U);
  EXPECT_NE(it.find("1.3.6.1.4.1.99999.7"), nullptr);
  EXPECT_EQ(it.find("1.2.3"), nullptr);
  EXPECT_FALSE(it.is_ca());
}

TEST_F(X509Test, OldVersionsAreReadAndSaySo) {
  good_.extensions.clear();
  good_.version = std::nullopt;
  EXPECT_EQ(must(parse(good_)).version, 1);
  good_.version = 1;
  EXPECT_EQ(must(parse(good_)).version, 2);
  good_.version = 3;
  EXPECT_NE(refusal(good_).find("version"), std::string::npos);
}

TEST_F(X509Test, RefusesExtensionsThatMeanTwoThings) {
  Forgery it = good_;
  it.extensions.push_back(it.extensions[0]);
  EXPECT_NE(refusal(it).find("there twice"), std::string::npos);
  it = good_;
  it.version = 1;
  EXPECT_NE(refusal(it).find("need version 3"), std::string::npos);
  it = good_;
  for (std::size_t i = 0; i <= kExtensionsMax; ++i) {
    it.extensions.push_back({"1.2.3." + std::to_string(i), false, {}});
  }
  EXPECT_NE(refusal(it).find("too many"), std::string::npos);
}

TEST_F(X509Test, RefusesBrokenExtensionValues) {
  const std::pair<std::string_view, Bytes> broken[] = {
      {kOidBasicConstraints, der::put_integer(1)},
      {kOidBasicConstraints, der::sequence({der::put_integer(1)})},  // a path length without CA
      {kOidBasicConstraints, der::sequence({der::put_boolean(true), der::put_integer(256)})},
      {kOidKeyUsage, der::put_integer(1)},
      {kOidKeyUsage, der::wrap(der::kBitString, Bytes{8, 0x80})},
      {kOidKeyUsage, der::wrap(der::kBitString, Bytes{0})},
      {kOidKeyUsage, der::wrap(der::kBitString, Bytes{0, 0, 0x40})},  // a tenth bit
      {kOidExtendedKeyUsage, der::sequence({der::put_integer(1)})},
      {kOidSubjectKeyId, der::put_integer(1)},
      {kOidAuthorityKeyId, der::put_integer(1)},
  };
  for (const auto& [oid, value] : broken) {
    Forgery it = good_;
    it.at(oid).value = value;
    EXPECT_NE(refusal(it), "") << oid << " " << to_hex(value);
  }
}

TEST_F(X509Test, RefusesBrokenNames) {
  const Bytes names[] = {
      der::wrap(der::kSequence, der::wrap(der::context_tag(2), view_of("a b"))),
      der::wrap(der::kSequence, der::wrap(der::context_tag(2), View())),
      der::wrap(der::kSequence, der::wrap(der::context_tag(2), Bytes{'a', 0, 'b'})),
      der::wrap(der::kSequence, der::wrap(der::context_tag(7), Bytes(5, 1))),
      der::wrap(der::kSequence, der::wrap(der::context_tag(6), view_of("urn:\xC3\xBC"))),
  };
  for (const Bytes& value : names) {
    Forgery it = good_;
    it.extensions.push_back({std::string(kOidSubjectAltName), false, value});
    EXPECT_NE(refusal(it), "") << to_hex(value);
  }
  Forgery it = good_;
  const std::string trick("good\0evil", 9);
  it.subject = put_name(trick, {}, {});
  EXPECT_NE(refusal(it).find("control character"), std::string::npos);
}

TEST_F(X509Test, RefusesTwoSignatureAlgorithms) {
  good_.outer_algorithm = algorithm_identifier(SignatureAlgorithm::ecdsa_sha384);
  EXPECT_NE(refusal(good_).find("differ"), std::string::npos);
}

TEST_F(X509Test, NeverReadsPartsOrMore) {
  const Bytes whole = testing::forge(good_, pki_.issuing());
  ASSERT_TRUE(parse_certificate(whole));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_FALSE(parse_certificate(View(whole).first(cut))) << cut;
  }
  Bytes more = whole;
  more.push_back(0);
  EXPECT_FALSE(parse_certificate(more));
  EXPECT_FALSE(parse_certificate(Bytes(kCertificateBytesMax + 1, 0x30)));
}

TEST_F(X509Test, NamesAreEscapedAndJoined) {
  const auto attribute = [](std::string_view oid, std::string_view value) {
    return der::sequence({der::put_oid(oid), der::wrap(der::kUtf8String, view_of(value))});
  };
  const Bytes two_in_one =
      der::wrap(der::kSet, {attribute("2.5.4.3", " a+b "), attribute("2.5.4.11", "#x")});
  const Bytes odd = der::wrap(der::kSet, attribute("1.2.3.4", "v"));
  const auto name = must(parse_name(der::wrap(der::kSequence, {two_in_one, odd})));
  EXPECT_EQ(name.text, "CN=\\ a\\+b\\  + OU=\\#x, 1.2.3.4=v");
  EXPECT_EQ(name.common_name, " a+b ");
  EXPECT_FALSE(parse_name(der::wrap(der::kSequence, der::wrap(der::kSet, View()))));
  Bytes many;
  for (std::size_t i = 0; i <= kNameAttributesMax; ++i) append(many, odd);
  EXPECT_FALSE(parse_name(der::wrap(der::kSequence, many)));
}

TEST(DnsNames, OnlyRealOnes) {
  for (const char* good : {"a", "localhost", "hub.example", "a-b.c1.example", "xn--bcher-kva.de",
                           "_mqtt._tcp.example"}) {
    EXPECT_TRUE(is_dns_name(good, false)) << good;
  }
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a b", "a/b", "*", "*.com",
                          "*a.example", "a.*.example"}) {
    EXPECT_FALSE(is_dns_name(bad, true)) << bad;
  }
  EXPECT_TRUE(is_dns_name("*.hub.example", true));
  EXPECT_FALSE(is_dns_name("*.hub.example", false));
  EXPECT_FALSE(is_dns_name(std::string(64, 'a') + ".example", false));
  EXPECT_TRUE(is_dns_name(std::string(63, 'a') + ".example", false));
}

TEST(Addresses, RoundTrip) {
  for (const char* text : {"192.0.2.7", "2001:db8::1", "::1", "::"}) {
    EXPECT_EQ(address_text(*address_bytes(text)), text);
  }
  EXPECT_EQ(address_text(*address_bytes("2001:0DB8:0:0::1")), "2001:db8::1");
  for (const char* bad : {"", "192.0.2", "192.0.2.256", "2001:::1", "localhost", "1.2.3.4 "}) {
    EXPECT_FALSE(address_bytes(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::crypto
