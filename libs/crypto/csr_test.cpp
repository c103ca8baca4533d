#include "libs/crypto/csr.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/testing.hpp"
#include "libs/crypto/testing/openssl_cli.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;

class CsrTest : public ::testing::Test {
 protected:
  PrivateKey key_ = must(PrivateKey::generate(KeyAlgorithm::p256));
  Bytes csr_ = must(make_csr({.common_name = "Pump 3"}, key_));

  static std::string refusal(View der, Code code = Code::csr_malformed) {
    const auto read = parse_csr(der);
    if (read) return "";
    EXPECT_EQ(read.error().code, code);
    return read.error().message;
  }
};

TEST_F(CsrTest, RoundTrip) {
  CsrSpec spec{.common_name = "Pump 3", .serial_number = "E3-0042", .challenge_password = "hello"};
  spec.names.dns = {"pump.example"};
  spec.names.addresses = {"2001:db8::1"};
  const Csr csr = must(parse_csr(must(make_csr(spec, key_))));
  EXPECT_EQ(csr.subject, "CN=Pump 3, serialNumber=E3-0042");
  EXPECT_EQ(csr.subject_cn, "Pump 3");
  EXPECT_EQ(csr.subject_serial, "E3-0042");
  EXPECT_EQ(csr.key, key_.public_key());
  EXPECT_EQ(*csr.names, spec.names);
  EXPECT_EQ(csr.challenge_password, "hello");
  EXPECT_EQ(csr.attribute_oids.size(), 2U);
  ASSERT_EQ(csr.extensions.size(), 1U);
  EXPECT_EQ(csr.extensions[0].oid, "2.5.29.17");
}

TEST_F(CsrTest, KeepsASubjectByteForByte) {
  const Csr first = must(parse_csr(csr_));
  const CsrSpec spec{.common_name = "other", .subject_der = first.subject_der};
  EXPECT_EQ(must(parse_csr(must(make_csr(spec, key_)))).subject_der, first.subject_der);
  EXPECT_FALSE(make_csr({.subject_der = bytes_of("junk")}, key_));
  EXPECT_FALSE(make_csr({.common_name = "x"}, PrivateKey()));
}

TEST_F(CsrTest, EmptySubjectIsFine) {
  const Csr csr = must(parse_csr(must(make_csr({}, key_))));
  EXPECT_EQ(csr.subject, "");
  EXPECT_EQ(csr.subject_cn, "");
}

TEST_F(CsrTest, OpensslReadsOurs) {
  testing::OpensslCli openssl;
  for (const KeyAlgorithm algorithm :
       {KeyAlgorithm::p256, KeyAlgorithm::p384, KeyAlgorithm::ed25519, KeyAlgorithm::rsa}) {
    CsrSpec spec{.common_name = "Pump 3", .challenge_password = "hello"};
    spec.names.dns = {"pump.example"};
    const Bytes csr = must(make_csr(spec, must(PrivateKey::generate(algorithm))));
    const os::Exit exit =
        openssl.run({"req", "-inform", "DER", "-verify", "-noout", "-text"}, text_of(csr));
    EXPECT_EQ(exit.status, 0) << exit.err;
    EXPECT_NE(exit.out.find("DNS:pump.example"), std::string::npos) << exit.out;
  }
}

TEST_F(CsrTest, WeReadOpenssls) {
  testing::OpensslCli openssl;
  for (const std::vector<std::string>& key :
       {std::vector<std::string>{"ec", "-pkeyopt", "ec_paramgen_curve:P-256"},
        {"ec", "-pkeyopt", "ec_paramgen_curve:P-384"},
        {"ed25519"},
        {"rsa:2048"}}) {
    std::vector<std::string> arguments = {"req",
                                          "-new",
                                          "-nodes",
                                          "-keyout",
                                          openssl.path("k.pem"),
                                          "-subj",
                                          "/O=Acme/CN=Pump 3/serialNumber=42",
                                          "-outform",
                                          "DER",
                                          "-addext",
                                          "subjectAltName=DNS:a.example,IP:192.0.2.1",
                                          "-newkey"};
    arguments.insert(arguments.end(), key.begin(), key.end());
    arguments.insert(arguments.end(), {"-out", openssl.path("r.der")});
    openssl.output(arguments);
    const Csr csr = must(parse_csr(openssl.get("r.der")));
    EXPECT_EQ(csr.subject, "O=Acme, CN=Pump 3, serialNumber=42");
    EXPECT_EQ(csr.names->addresses, std::vector<std::string>{"192.0.2.1"});
  }
}

TEST_F(CsrTest, WantsProofOfPossession) {
  for (std::size_t i = 0; i < csr_.size(); i += 3) {
    Bytes changed = csr_;
    changed[i] ^= 0x04;
    EXPECT_FALSE(parse_csr(changed)) << i;
  }
  Bytes last = csr_;
  last.back() ^= 1;
  EXPECT_NE(refusal(last).find("does not fit its key"), std::string::npos);
}

TEST_F(CsrTest, RefusesWeakKeysAndWeakSignatures) {
  testing::OpensslCli openssl;
  const auto request = [&](const std::string& key, const std::string& digest) {
    openssl.output({"req", "-new", "-nodes", "-newkey", key, "-keyout", openssl.path("k.pem"),
                    "-subj", "/CN=x", digest, "-outform", "DER", "-out", openssl.path("r.der")});
    return openssl.get("r.der");
  };
  EXPECT_NE(refusal(request("rsa:1024", "-sha256"), Code::csr_key_weak).find("too few"),
            std::string::npos);
  EXPECT_NE(refusal(request("rsa:2048", "-sha1")).find("SHA-256 or stronger"), std::string::npos);
  EXPECT_EQ(refusal(request("rsa:2048", "-sha512")), "");
}

TEST_F(CsrTest, RefusesWhatIsNoRequest) {
  EXPECT_NE(refusal({}), "");
  EXPECT_NE(refusal(view_of("junk")), "");
  EXPECT_NE(refusal(Bytes(kCsrBytesMax + 1, 0x30)).find("more than"), std::string::npos);
  testing::Pki pki(*from_rfc3339("2026-06-01T00:00:00Z"));
  EXPECT_NE(refusal(pki.root_der()), "");
  Bytes more = csr_;
  more.push_back(0);
  EXPECT_NE(refusal(more).find("follows"), std::string::npos);
  for (std::size_t cut = 0; cut < csr_.size(); cut += 7) {
    EXPECT_NE(refusal(View(csr_).first(cut)), "") << cut;
  }
}

}  // namespace
}  // namespace holdfast::crypto
