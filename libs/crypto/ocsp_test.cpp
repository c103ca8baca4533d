#include "libs/crypto/ocsp.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/der.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/crypto/testing/openssl_cli.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;
using testing::OpensslCli;

// openssl judges answers by the real clock.
WallTime wall_now(OpensslCli& cli) {
  return cli.system().clock.wall();
}

class OcspTest : public ::testing::Test {
 protected:
  OpensslCli cli_;
  testing::Pki pki_{wall_now(cli_)};
  Credential device_ = pki_.device("dev");
  std::string ca_ = cli_.put("ca.pem", certificates_to_pem(pki_.trust()));
  std::string issuer_ = cli_.put_certificate("issuer.pem", pki_.issuing_der());
  std::string leaf_ = cli_.put_certificate("leaf.pem", device_.chain_der[0]);

  Bytes request(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"ocsp", "-reqout", cli_.path("request.der")};
    for (const auto& one : more) arguments.push_back(one);
    for (const auto* one : {"-issuer"}) arguments.emplace_back(one);
    arguments.push_back(issuer_);
    arguments.emplace_back("-cert");
    arguments.push_back(leaf_);
    cli_.output(arguments);
    return cli_.get("request.der");
  }
  Issuer delegate() {
    Issuer out;
    out.key = must(PrivateKey::generate(KeyAlgorithm::p256));
    CertificateRequestSpec spec = pki_.spec(Profile::ocsp_responder, "responder");
    spec.extensions.push_back(ocsp_no_check());
    out.certificate = must(
        parse_certificate(must(issue_certificate(spec, out.key.public_key(), pki_.issuing()))));
    return out;
  }
  // What `openssl ocsp` says of an answer of ours.
  std::string judged(const OcspAnswers& answers, const Issuer& by) {
    cli_.put("answer.der", text_of(must(make_ocsp_response(answers, by))));
    const auto exit =
        cli_.run({"ocsp", "-respin", cli_.path("answer.der"), "-reqin", cli_.path("request.der"),
                  "-issuer", issuer_, "-cert", leaf_, "-CAfile", ca_, "-no_nonce"});
    return exit.out + exit.err;
  }
  OcspAnswers answer(const OcspRequest& request, OcspStatus status) {
    const WallTime now{wall_now(cli_).us / 1'000'000 * 1'000'000};
    return {{{request.certificates[0].der, status, now - hours(1), RevocationReason::superseded}},
            now,
            now + hours(1),
            request.nonce};
  }
};

TEST_F(OcspTest, ReadsWhatOpensslAsks) {
  const auto parsed = must(parse_ocsp_request(request()));
  ASSERT_EQ(parsed.certificates.size(), 1U);
  EXPECT_EQ(parsed.certificates[0].serial, must(parse_certificate(device_.chain_der[0])).serial);
  EXPECT_TRUE(names_issuer(parsed.certificates[0], pki_.issuing().certificate));
  EXPECT_FALSE(names_issuer(parsed.certificates[0], pki_.root().certificate));
  ASSERT_TRUE(parsed.nonce);
  EXPECT_EQ(parsed.nonce->size(), 16U);
  EXPECT_FALSE(must(parse_ocsp_request(request({"-no_nonce"}))).nonce);
  EXPECT_TRUE(names_issuer(must(parse_ocsp_request(request({"-sha256"}))).certificates[0],
                           pki_.issuing().certificate));
}

TEST_F(OcspTest, OpensslBelievesEachAnswerOfCaAndDelegate) {
  const auto asked = must(parse_ocsp_request(request()));
  for (const Issuer& by : {pki_.issuing(), delegate()}) {
    for (const auto& [status, word] : std::vector<std::pair<OcspStatus, std::string>>{
             {OcspStatus::good, "leaf.pem: good"},
             {OcspStatus::revoked, "leaf.pem: revoked"},
             {OcspStatus::unknown, "leaf.pem: unknown"}}) {
      const std::string said = judged(answer(asked, status), by);
      EXPECT_NE(said.find("Response verify OK"), std::string::npos) << said;
      EXPECT_NE(said.find(word), std::string::npos) << said;
      EXPECT_EQ(said.find("Nonce"), std::string::npos) << said;
    }
    EXPECT_NE(judged(answer(asked, OcspStatus::revoked), by).find("superseded"), std::string::npos);
  }
}

TEST_F(OcspTest, AnAnswerOfAnyoneElseIsNotBelieved) {
  const auto asked = must(parse_ocsp_request(request()));
  Issuer device{must(parse_certificate(device_.chain_der[0])), device_.key};
  const std::string said = judged(answer(asked, OcspStatus::good), device);
  EXPECT_EQ(said.find("Response verify OK"), std::string::npos)
      << "a device's certificate has no OCSPSigning";
}

TEST_F(OcspTest, BoundsAndCuts) {
  const Bytes whole = request();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = parse_ocsp_request(View(whole).first(size));
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().code, Code::malformed_body);
  }
  const Bytes one = der::sequence({must(parse_ocsp_request(whole)).certificates[0].der});
  const auto with = [&](std::size_t count) {
    Bytes list;
    for (std::size_t i = 0; i < count; ++i) append(list, one);
    return der::sequence({der::sequence({der::wrap(der::kSequence, list)})});
  };
  EXPECT_FALSE(parse_ocsp_request(with(0)));
  EXPECT_EQ(must(parse_ocsp_request(with(kOcspCertificatesMax))).certificates.size(),
            kOcspCertificatesMax);
  EXPECT_FALSE(parse_ocsp_request(with(kOcspCertificatesMax + 1)));
  EXPECT_FALSE(parse_ocsp_request(Bytes(kOcspRequestBytesMax + 1, 0x30)));
}

TEST_F(OcspTest, AFailureIsFiveBytes) {
  EXPECT_EQ(to_hex(make_ocsp_failure(OcspFailure::unauthorized)), "30030a0106");
}

}  // namespace
}  // namespace holdfast::crypto
