#include "libs/crypto/crl.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/der.hpp"
#include "libs/crypto/oids.hpp"
#include "libs/crypto/spki.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/crypto/testing/openssl_cli.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;
using testing::OpensslCli;

const WallTime kListNow = *from_rfc3339("2026-06-01T00:00:00Z");

class CrlTest : public ::testing::Test {
 protected:
  testing::Pki pki_{kListNow};
  CrlSpec spec_{7, kListNow, kListNow + hours(24), {}};

  Bytes make() { return must(make_crl(spec_, pki_.issuing())); }
  // A list whose body was changed before it was signed.
  Bytes forged(const std::function<Bytes(View)>& change) {
    const Bytes body = change(must(parse_crl(make())).body_der);
    const auto& key = pki_.issuing().key;
    return der::sequence({body, algorithm_identifier(key.signature_algorithm()),
                          der::put_bit_string(must(key.sign(body)))});
  }
};

TEST_F(CrlTest, WhatIsWrittenIsReadAndBelieved) {
  spec_.revoked = {{{0x41, 0x02}, kListNow - hours(1), RevocationReason::key_compromise},
                   {{0x7F}, kListNow - hours(2), RevocationReason::unspecified}};
  const Crl list = must(parse_crl(make()));
  EXPECT_EQ(list.number, 7U);
  EXPECT_EQ(list.authority_key_id, pki_.issuing().certificate.subject_key_id);
  EXPECT_EQ(list.this_update, kListNow);
  EXPECT_EQ(list.next_update, kListNow + hours(24));
  ASSERT_EQ(list.revoked.size(), 2U);
  EXPECT_EQ(list.revoked[0].serial, (Bytes{0x41, 0x02}));
  EXPECT_EQ(list.revoked[0].reason, RevocationReason::key_compromise);
  EXPECT_EQ(list.revoked[1].reason, RevocationReason::unspecified);
  EXPECT_TRUE(check_crl(list, pki_.issuing().certificate, kListNow));
}

TEST_F(CrlTest, WhatMustNotBeBelieved) {
  const Crl good = must(parse_crl(make()));
  const Certificate& issuer = pki_.issuing().certificate;
  const auto why = [&](const Crl& list, WallTime now = kListNow) {
    const Status checked = check_crl(list, issuer, now);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(why(good), "");
  EXPECT_NE(why(good, kListNow + hours(24)).find("ended"), std::string::npos);
  EXPECT_NE(why(good, kListNow - hours(1)).find("future"), std::string::npos);
  EXPECT_NE(check_crl(good, pki_.root().certificate, kListNow).error().message.find("issuer"),
            std::string::npos);
  Crl other = good;
  other.signature.back() ^= 1;
  EXPECT_NE(why(other).find("signature"), std::string::npos);
  EXPECT_FALSE(make_crl(spec_, {must(parse_certificate(pki_.device("d").chain_der[0])), {}}));
}

// Plain OpenSSL takes a list without a number (RFC 5280 5.2.3 demands it); we do not.
TEST_F(CrlTest, AListWithoutANumberIsRefusedThoughOpensslTakesIt) {
  const Bytes der = forged([](View body) {
    der::Reader outer(body);
    der::Reader inner = must(outer.enter(der::kSequence, "body"));
    Bytes kept;
    while (!inner.done()) {
      const auto element = must(inner.next());
      if (element.tag != der::explicit_tag(0)) append(kept, element.whole);
    }
    return der::wrap(der::kSequence, kept);
  });
  const Crl list = must(parse_crl(der));
  EXPECT_FALSE(list.number);
  EXPECT_NE(check_crl(list, pki_.issuing().certificate, kListNow).error().message.find("cRLNumber"),
            std::string::npos);
  OpensslCli cli;
  const std::string crl = cli.put("list.pem", to_pem("X509 CRL", der));
  const std::string ca = cli.put("ca.pem", certificates_to_pem(pki_.trust()));
  EXPECT_EQ(cli.run({"crl", "-in", crl, "-CAfile", ca, "-noout"}).status, 0);
}

TEST_F(CrlTest, OpensslAndCertificateChecksAgree) {
  OpensslCli cli;
  const Credential good = pki_.device("good");
  const Credential bad = pki_.device("bad");
  spec_.revoked = {{must(parse_certificate(bad.chain_der[0])).serial, kListNow - hours(1),
                    RevocationReason::cessation_of_operation}};
  const std::string crl = cli.put("list.pem", to_pem("X509 CRL", make()));
  const std::string text = cli.output({"crl", "-in", crl, "-noout", "-text"});
  for (const char* part : {"Version 2", "X509v3 CRL Number", "X509v3 Authority Key Identifier",
                           "Cessation Of Operation"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
  const std::string ca = cli.put("ca.pem", certificates_to_pem(pki_.trust()));
  const auto verify = [&](const Credential& who) {
    return cli.run({"verify", "-x509_strict", "-crl_check", "-attime",
                    std::to_string(kListNow.us / 1'000'000), "-CAfile", ca, "-CRLfile", crl,
                    cli.put_certificate("leaf.pem", who.chain_der[0])});
  };
  EXPECT_EQ(verify(good).status, 0) << verify(good).err;
  EXPECT_NE(verify(bad).err.find("revoked"), std::string::npos);
}

TEST_F(CrlTest, EveryCutIsRefusedAndNoneReadsBeyondItsEnd) {
  spec_.revoked = {{{0x41, 0x02}, kListNow, RevocationReason::superseded}};
  const Bytes whole = make();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_crl(View(whole).first(size))) << size;
  }
}

}  // namespace
}  // namespace holdfast::crypto
