#include "libs/crypto/pem.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/cms.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/crypto/testing/openssl_cli.hpp"

namespace holdfast::crypto {
namespace {

TEST(Pem, RoundTrip) {
  for (const std::size_t size : {1U, 47U, 48U, 49U, 500U}) {
    const Bytes der(size, 0x30);
    const std::string pem = to_pem("CERTIFICATE", der);
    const auto blocks = *parse_pem(pem);
    ASSERT_EQ(blocks.size(), 1U);
    EXPECT_EQ(blocks[0].label, "CERTIFICATE");
    EXPECT_EQ(blocks[0].der, der);
    EXPECT_EQ(pem.back(), '\n');
  }
}

TEST(Pem, SkipsTextAndTakesAllLineEnds) {
  std::string text = "subject=CN = x\n" + to_pem("A", Bytes(60, 1)) + "between\n" +
                     to_pem("B", Bytes(2, 2)) + "after";
  std::string crlf;
  for (const char c : text) {
    if (c == '\n') crlf += " \r";
    crlf.push_back(c);
  }
  for (const std::string& one : {text, crlf}) {
    const auto blocks = *parse_pem(one);
    ASSERT_EQ(blocks.size(), 2U);
    EXPECT_EQ(blocks[0].der, Bytes(60, 1));
    EXPECT_EQ(blocks[1].label, "B");
  }
  EXPECT_EQ(parse_pem(text, "B")->front(), Bytes(2, 2));
  EXPECT_EQ(parse_pem(text, "C").error().code, Code::invalid_argument);
}

TEST(Pem, RefusesBrokenBlocks) {
  const std::string whole = to_pem("A", Bytes(60, 1));
  EXPECT_FALSE(parse_pem(std::string_view(whole).substr(0, whole.size() - 10)));
  EXPECT_FALSE(parse_pem("-----BEGIN A-----\n!!!!\n-----END A-----\n"));
  EXPECT_FALSE(parse_pem("-----BEGIN A-----\nAAAA\n-----END B-----\n"));
  EXPECT_TRUE(parse_pem("no block at all")->empty());
  std::string many;
  for (std::size_t i = 0; i <= kPemBlocksMax; ++i) many += to_pem("A", Bytes(1, 1));
  EXPECT_FALSE(parse_pem(many));
}

TEST(Base64Lines, WrapsAndEnds) {
  EXPECT_EQ(to_base64_lines(Bytes(6, 0), 4), "AAAA\nAAAA\n");
  EXPECT_EQ(to_base64_lines(Bytes(4, 0), 4), "AAAA\nAA==\n");
  EXPECT_EQ(to_base64_lines({}, 4), "");
}

TEST(CertsOnly, OpensslReadsOurs) {
  testing::OpensslCli openssl;
  testing::Pki pki(*from_rfc3339("2026-06-01T00:00:00Z"));
  const Bytes cms = make_certs_only({pki.issuing_der(), pki.root_der()});
  const std::string pem = openssl.output({"pkcs7", "-inform", "DER", "-print_certs"}, text_of(cms));
  const auto printed = *certificates_from_pem(pem);
  ASSERT_EQ(printed.size(), 2U);
  EXPECT_EQ(printed[0], pki.issuing_der());
  EXPECT_EQ(printed[1], pki.root_der());
  EXPECT_EQ(*parse_certs_only(cms), printed);
}

TEST(CertsOnly, WeReadOpenssls) {
  testing::OpensslCli openssl;
  testing::Pki pki(*from_rfc3339("2026-06-01T00:00:00Z"));
  const std::string file =
      openssl.put("all.pem", certificates_to_pem({pki.root_der(), pki.issuing_der()}));
  openssl.output({"crl2pkcs7", "-nocrl", "-certfile", file, "-outform", "DER", "-out",
                  openssl.path("all.p7b")});
  const auto found = *parse_certs_only(openssl.get("all.p7b"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0], pki.root_der());
}

TEST(CertsOnly, RefusesOtherMessages) {
  testing::Pki pki(*from_rfc3339("2026-06-01T00:00:00Z"));
  const Bytes cms = make_certs_only({pki.root_der()});
  EXPECT_TRUE(parse_certs_only(make_certs_only({}))->empty());
  EXPECT_FALSE(parse_certs_only({}));
  EXPECT_FALSE(parse_certs_only(pki.root_der()));
  Bytes more = cms;
  more.push_back(0);
  EXPECT_FALSE(parse_certs_only(more));
  for (std::size_t cut = 1; cut < cms.size(); cut += 13) {
    EXPECT_FALSE(parse_certs_only(View(cms).first(cut))) << cut;
  }
  EXPECT_FALSE(
      parse_certs_only(make_certs_only(std::vector<Bytes>(kCertsOnlyMax + 1, pki.root_der()))));
}

}  // namespace
}  // namespace holdfast::crypto
