#include "libs/est/est.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/testing/openssl_cli.hpp"
#include "libs/crypto/testing.hpp"

namespace holdfast::est {
namespace {

using crypto::testing::must;
using crypto::testing::OpensslCli;
using crypto::testing::Pki;

class EstTest : public ::testing::Test {
 protected:
  Pki pki_{*from_rfc3339("2026-06-01T00:00:00Z")};
  crypto::PrivateKey key_ = must(crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256));
  Bytes csr_ = must(crypto::make_csr({.common_name = "Pump 3"}, key_));

  static std::string with_line_ends(std::string text, const std::string& line_end) {
    std::string out;
    for (const char c : text) {
      if (c == '\n') out += line_end;
      if (c != '\n') out.push_back(c);
    }
    return out;
  }
};

// Every form that reference clients send (libest, strongSwan, curl with openssl, hand-made).
TEST_F(EstTest, TakesEveryFormOfRequest) {
  const std::string flat = to_base64(csr_);
  const std::string lines = crypto::to_base64_lines(csr_, 64);
  const std::string pem = crypto::to_pem("CERTIFICATE REQUEST", csr_);
  const std::string old_pem = crypto::to_pem("NEW CERTIFICATE REQUEST", csr_);
  std::string cut = lines;
  while (cut.back() == '\n') cut.pop_back();
  for (const std::string& body :
       {flat, flat + "\n", lines, cut, with_line_ends(lines, "\r\n"),
        crypto::to_base64_lines(csr_, 76), pem, with_line_ends(pem, "\r\n"), old_pem,
        "Certificate Request:\n" + pem, std::string(text_of(csr_))}) {
    EXPECT_EQ(must(parse_request_body(view_of(body))), csr_) << body;
    EXPECT_EQ(must(parse_enrolment(view_of(body))).subject_cn, "Pump 3");
  }
}

TEST_F(EstTest, RefusesOtherBodies) {
  const auto code = [](std::string_view body) {
    const auto parsed = parse_enrolment(view_of(body));
    return parsed ? Code{} : parsed.error().code;
  };
  EXPECT_EQ(code(""), Code::csr_malformed);
  EXPECT_EQ(code("\r\n"), Code::csr_malformed);
  EXPECT_EQ(code("{\"csr\": 1}"), Code::csr_malformed);
  EXPECT_EQ(code(to_base64(view_of("junk"))), Code::csr_malformed);
  EXPECT_EQ(code(crypto::to_pem("CERTIFICATE", csr_)), Code::csr_malformed);
  EXPECT_EQ(code("-----BEGIN CERTIFICATE REQUEST-----\nMII"), Code::csr_malformed);
  EXPECT_EQ(code(to_base64(csr_).substr(0, 100)), Code::csr_malformed);
  EXPECT_EQ(code(std::string(kRequestBytesMax + 1, 'A')), Code::body_too_large);
}

TEST_F(EstTest, AnswersAsEachClientReads) {
  const std::vector<Bytes> cas = {pki_.issuing_der(), pki_.root_der()};
  const std::string line = certificates_body(cas, "curl/7.88.1");
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(certificates_body(cas, ""), line);
  EXPECT_EQ(certificates_body(cas, "strongSwan/5.9.8"), line);
  const std::string lines = certificates_body(cas, "libest 1.0");
  EXPECT_EQ(lines.find('\n'), 64U);
  EXPECT_EQ(lines.back(), '\n');
  EXPECT_EQ(with_line_ends(lines, ""), line.substr(0, line.size() - 1));
}

TEST_F(EstTest, OpensslReadsAnswers) {
  OpensslCli openssl;
  const std::string body = certificates_body({pki_.issuing_der(), pki_.root_der()}, "curl/7.88.1");
  openssl.output({"base64", "-d", "-A", "-out", openssl.path("answer.der")}, body);
  const std::string pem = openssl.output(
      {"pkcs7", "-inform", "DER", "-in", openssl.path("answer.der"), "-print_certs"});
  EXPECT_EQ(must(crypto::certificates_from_pem(pem)),
            (std::vector<Bytes>{pki_.issuing_der(), pki_.root_der()}));
  // And in lines, without -A.
  const std::string lines = certificates_body({pki_.root_der()}, "libest 1.0");
  openssl.output({"base64", "-d", "-out", openssl.path("answer2.der")}, lines);
  EXPECT_EQ(must(parse_certificates_body(openssl.get("answer2.der"))).size(), 1U);
}

TEST_F(EstTest, DevicesReadAnswers) {
  const std::vector<Bytes> cas = {pki_.issuing_der(), pki_.root_der()};
  for (const char* agent : {"", "libest 1.0"}) {
    EXPECT_EQ(must(parse_certificates_body(view_of(certificates_body(cas, agent)))), cas);
  }
  const auto code = [](std::string_view body) {
    const auto parsed = parse_certificates_body(view_of(body));
    return parsed ? Code{} : parsed.error().code;
  };
  EXPECT_EQ(code(certificates_body({}, "")), Code::invalid_argument);
  EXPECT_EQ(code("<html>"), Code::invalid_argument);
  EXPECT_EQ(code(""), Code::invalid_argument);
  EXPECT_EQ(code(to_base64(pki_.root_der())), Code::invalid_argument);
}

TEST_F(EstTest, RequestsOfOursAreTaken) {
  EXPECT_EQ(must(parse_request_body(view_of(enrolment_body(csr_)))), csr_);
}

TEST_F(EstTest, CsrAttributesAreThoseOfTheContract) {
  EXPECT_EQ(csr_attributes_body(""), "MCEGCCqGSM49BAMCMBUGByqGSM49AgExCgYIKoZIzj0DAQc=\n");
  OpensslCli openssl;
  openssl.output({"base64", "-d", "-A", "-out", openssl.path("a.der")}, csr_attributes_body(""));
  const std::string shown =
      openssl.output({"asn1parse", "-inform", "DER", "-in", openssl.path("a.der")});
  for (const char* part : {"ecdsa-with-SHA256", "id-ecPublicKey", "prime256v1"}) {
    EXPECT_NE(shown.find(part), std::string::npos) << shown;
  }
}

}  // namespace
}  // namespace holdfast::est
